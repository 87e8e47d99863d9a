//! The command line: what can be asked for, and what is printed for a person.

mod banner;
mod check;
mod import;
mod mqtt;
mod nodes;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use banner::{Banner, complain, say};
pub use check::check;
pub use import::{ImportOptions, run_import};
pub use mqtt::{MqttCommand, mqtt};
pub use nodes::nodes;

use crate::settings::Flags;

/// The exit code when something that the user set, or the machine, does not let Flowrill do what was asked.
pub const CANNOT: u8 = 2;

const AFTER: &str = "\
Every option can also be set in the environment (FLOWRILL_HTTP=…, FLOWRILL_NO_BROKER=true) and in
flowrill.toml (http = \"…\", no-broker = true). The command line beats the environment, and the
environment beats the file. What nodes may need to know stands in the file under [runtime], with
Node-RED's names: globalFunctionTimeout, nodeMessageBufferMaxLength, debugMaxLength, …";

/// A visual flow runtime with its own MQTT broker inside.
///
/// Without a command it runs the flows of the data folder, and serves the editor to change them.
#[derive(Debug, Parser)]
#[command(name = "flowrill", version, after_help = AFTER, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub run: RunOptions,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the flows of the data folder and serve the editor (what happens without a command, too)
    #[command(after_help = AFTER)]
    Run(RunOptions),
    /// Look for mistakes in a flow file without running it; exits with 1 when it finds errors
    Check {
        /// The flow file, as the editor or Node-RED exports it
        file: PathBuf,
        #[command(flatten)]
        places: Places,
    },
    /// List the node types that can be used in flows, and say what is wrong with those of your own
    Nodes(Places),
    /// Users of the built-in MQTT broker, and what they may do
    #[command(subcommand)]
    Mqtt(MqttCommand),
    /// Take over the configuration of Mosquitto: listeners, limits, bridges, users and rules
    Import(ImportOptions),
}

/// Where node types of the user's own are looked for.
#[derive(Debug, Default, Args)]
pub struct Places {
    /// The data folder, whose folder "nodes" may hold node types of your own
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
    /// A folder with node types of your own; can be given several times
    #[arg(long, value_name = "DIR")]
    nodes: Vec<String>,
    /// Read settings from this file [default: flowrill.toml in the data folder, if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<String>,
}

impl Places {
    /// What was given, for [`crate::settings::Settings::resolve`].
    pub fn flags(self) -> Flags {
        RunOptions {
            data: self.data,
            nodes: self.nodes,
            config: self.config,
            ..RunOptions::default()
        }
        .flags()
    }
}

/// How to run.
#[derive(Debug, Default, Args)]
pub struct RunOptions {
    /// The folder that holds flows, their history and credentials; made if it is missing
    /// [default: the platform's folder for a user's data]
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
    /// Where the editor and the HTTP interface listen; port 0 picks a free one [default: 127.0.0.1:1880]
    #[arg(long, value_name = "ADDR:PORT")]
    http: Option<String>,
    /// Where the built-in MQTT broker listens; port 0 picks a free one [default: 127.0.0.1:1883]
    #[arg(long, value_name = "ADDR:PORT")]
    mqtt: Option<String>,
    /// Deploy this flow file at the start, as a new version over the one that is stored
    #[arg(long, value_name = "FILE")]
    flows: Option<String>,
    /// A folder with node types of your own (docs/own-nodes.md); can be given several times. Those in the folder
    /// "nodes" of the data folder are there in any case
    #[arg(long, value_name = "DIR")]
    nodes: Vec<String>,
    /// Read settings from this file [default: flowrill.toml in the data folder, if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<String>,
    /// Run without the built-in MQTT broker, for instance beside Mosquitto
    #[arg(long)]
    no_broker: bool,
    /// Start empty the first time, without the flow that shows how things work
    #[arg(long)]
    no_sample: bool,
    /// Let everyone on this machine send into every node and watch every wire, over WebSocket /tap: for tests of
    /// flows. Nothing is stored then, and no sample flow is loaded
    #[arg(long)]
    tap: bool,
    /// The language of the nodes' texts, for example en or de; cimode prints the texts' keys [default: en]
    #[arg(long)]
    lang: Option<String>,
    /// How much is logged to standard error: off, error, warn, info, debug or trace [default: info]
    #[arg(long, value_name = "LEVEL")]
    log: Option<String>,
    /// "none": everyone who can reach the addresses may do everything. Needed to listen beyond this machine, because
    /// there is no login yet
    #[arg(long, value_name = "none")]
    auth: Option<String>,
}

impl RunOptions {
    /// What was given, for [`crate::settings::Settings::resolve`].
    pub fn flags(self) -> Flags {
        let texts = [
            ("data", self.data),
            ("http", self.http),
            ("mqtt", self.mqtt),
            ("flows", self.flows),
            ("nodes", joined(&self.nodes)),
            ("config", self.config),
            ("lang", self.lang),
            ("log", self.log),
            ("auth", self.auth),
        ];
        let switches = [
            ("no-broker", self.no_broker),
            ("no-sample", self.no_sample),
            ("tap", self.tap),
        ];
        let texts = texts
            .into_iter()
            .filter_map(|(name, text)| Some((name, text?)));
        let switches = switches
            .into_iter()
            .filter(|(_, on)| *on)
            .map(|(name, _)| (name, "true".to_owned()));
        texts.chain(switches).collect()
    }
}

/// Several folders as one text, as in `PATH`; one with the separator in its name stands for itself.
fn joined(folders: &[String]) -> Option<String> {
    if folders.is_empty() {
        return None;
    }
    let joined = std::env::join_paths(folders).ok();
    Some(joined.map_or_else(
        || folders.concat(),
        |joined| joined.to_string_lossy().into_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::settings::OPTIONS;

    #[test]
    fn every_option_can_be_set_in_every_way() {
        let command = Cli::command();
        command.clone().debug_assert();
        let mut flags: Vec<&str> = command
            .get_arguments()
            .filter_map(clap::Arg::get_long)
            .filter(|name| !["help", "version"].contains(name))
            .collect();
        flags.sort_unstable();
        let mut options = OPTIONS.to_vec();
        options.sort_unstable();
        assert_eq!(flags, options);
        let line = [
            "flowrill",
            "--data",
            "d",
            "--http",
            "h",
            "--mqtt",
            "m",
            "--flows",
            "f",
            "--nodes",
            "n",
            "--config",
            "c",
            "--no-broker",
            "--no-sample",
            "--tap",
            "--lang",
            "l",
            "--log",
            "g",
            "--auth",
            "a",
        ];
        let given = Cli::try_parse_from(line).unwrap().run.flags();
        assert!(given.keys().copied().eq(options));
    }

    #[test]
    fn run_is_what_happens_anyway() {
        let cli = Cli::try_parse_from(["flowrill", "run", "--tap"]).unwrap();
        let Some(Command::Run(options)) = cli.command else {
            panic!("no command run");
        };
        assert_eq!(options.flags(), Flags::from([("tap", "true".to_owned())]));
        assert!(Cli::try_parse_from(["flowrill", "check"]).is_err());
    }
}
