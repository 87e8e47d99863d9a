//! `exec`: runs a command of the operating system (Node-RED's exec node).

use std::{collections::HashMap, io, time::Duration};

use serde::Deserialize;
use tokio::process::Command;

use super::{
    exec_output::{ended_collecting, ended_passing, text_or_bytes},
    exec_process::{End, Process, ProcessEvent, Processes, Reading, Stream},
    exec_signal::Signal,
};
use crate::{
    engine::{AnyEvent, Build, Closing, ConfigError, Failed, LogLevel, Node, NodeContext, Status},
    message::{Message, Object, PathError, PropertyPath, Value},
};

/// What a process may write when the setting `execMaxBufferSize` says nothing else.
const MOST_OUTPUT: usize = 10_000_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::nodes) struct ExecConfig {
    command: String,
    addpay: String,
    append: String,
    use_spawn: String,
    timer: Option<f64>,
    win_hide: bool,
    oldrc: bool,
}

/// A process that runs, and the message that it runs for.
struct Running {
    process: Process,
    msg: Message,
    line: String,
}

/// A running exec node.
pub(in crate::nodes) struct Exec {
    command: String,
    /// The property that is added to the command, as the file names it, and its path.
    added: String,
    added_path: Option<Result<PropertyPath, PathError>>,
    append: String,
    /// Output is handed on as it comes, and there is no shell.
    spawn: bool,
    limit: Option<Duration>,
    hide_window: bool,
    old_return_code: bool,
    most_output: usize,
    processes: Option<Processes>,
    running: HashMap<u32, Running>,
}

impl Exec {
    /// Reads the settings.
    pub(in crate::nodes) fn new(config: ExecConfig, build: &Build) -> Result<Self, ConfigError> {
        let added = match config.addpay.as_str() {
            "true" => "payload".to_owned(),
            "false" => String::new(),
            _ => config.addpay.clone(),
        };
        let most = build.settings.others.get("execMaxBufferSize");
        Ok(Self {
            command: config.command.trim().to_owned(),
            added_path: (!added.is_empty()).then(|| PropertyPath::parse_message(&added)),
            added: if config.addpay == "false" {
                config.addpay
            } else {
                added
            },
            append: config.append.trim().to_owned(),
            spawn: config.use_spawn == "true",
            limit: config
                .timer
                .filter(|seconds| *seconds > 0.0)
                .map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)),
            hide_window: config.win_hide,
            old_return_code: config.oldrc,
            most_output: most
                .and_then(Value::as_number)
                .filter(|most| *most >= 1.0)
                .map_or(MOST_OUTPUT, |most| most as usize),
            processes: Some(Processes::default()),
            running: HashMap::new(),
        })
    }

    /// The whole command line for a message.
    fn line(&self, msg: &Message) -> Result<String, PathError> {
        let mut line = self.command.clone();
        if let Some(path) = &self.added_path {
            let path = path.as_ref().map_err(Clone::clone)?;
            let value = path.get(msg.fields(), msg.fields())?;
            if !value.is_undefined() {
                line.push(' ');
                line.push_str(&value.to_text());
            }
        }
        if !self.append.is_empty() {
            line.push(' ');
            line.push_str(&self.append);
        }
        Ok(line)
    }

    fn start(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        let line = match self.line(&msg) {
            Ok(line) if line.trim().is_empty() => {
                return Err(Failed::with(ctx.text("exec.errors.no-command", &[]), msg));
            }
            Ok(line) => line,
            // As in Node-RED, the node is never done with a message that has no place for the property.
            Err(error) => {
                ctx.error(error.to_error(), Some(&msg));
                return Ok(());
            }
        };
        let (command, reading) = if self.spawn {
            let words = words(&line);
            let (program, rest) = words
                .split_first()
                .map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
            ctx.log(LogLevel::Debug, format!("{program} [{}]", rest.join(",")));
            (without_shell(program, rest), Reading::Pass)
        } else {
            ctx.log(LogLevel::Debug, line.as_str());
            (in_shell(&line), Reading::Collect(self.most_output))
        };
        let Some(processes) = &self.processes else {
            return Ok(());
        };
        let command = dressed(command, self.hide_window);
        match processes.start(command, reading, self.limit, ctx) {
            Ok((id, process)) => {
                ctx.status(Status::new("blue", "dot", format!("pid:{id}")));
                let running = Running { process, msg, line };
                self.running.insert(id, running);
            }
            // Such as a zero byte within the command.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                return Err(Failed::with(error.to_string(), msg));
            }
            Err(error) => {
                ctx.status(Status::new("blue", "dot", "pid:undefined"));
                if self.spawn {
                    let end = End {
                        code: Some(-error.raw_os_error().unwrap_or(1)),
                        ..End::default()
                    };
                    ended_passing(msg, &end, self.old_return_code, ctx);
                } else {
                    ended_collecting(msg, Err(error), &line, self.old_return_code, ctx);
                }
            }
        }
        Ok(())
    }

    /// `msg.kill`: a signal for the process that `msg.pid` names, or the only one.
    fn kill(&self, mut msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        let name = match msg.get("kill") {
            Value::String(name) if name.to_uppercase().starts_with("SIG") => name.to_uppercase(),
            _ => {
                msg.set("kill", "SIGTERM");
                "SIGTERM".to_owned()
            }
        };
        let running = match msg.fields().get("pid") {
            Some(id) => {
                let id = id.to_text().parse().ok();
                id.and_then(|id: u32| self.running.get(&id))
            }
            None if self.running.len() == 1 => self.running.values().next(),
            None => None,
        };
        if let Some(running) = running {
            let Some(signal) = Signal::from_name(&name) else {
                let text = ctx.text("exec.errors.unknown-signal", &[("signal", &name)]);
                return Err(Failed::with(text, msg));
            };
            running.process.signal(signal);
            ctx.status(Status::new("red", "dot", "killed"));
        }
        ctx.completion(&msg).done();
        Ok(())
    }

    fn wrote(&mut self, id: u32, stream: Stream, bytes: Vec<u8>, ctx: &NodeContext) {
        if let Some(running) = self.running.get_mut(&id) {
            running.msg.set("payload", text_or_bytes(bytes));
            ctx.send_to(usize::from(stream == Stream::Err), running.msg.clone());
        }
    }

    fn ended(&mut self, id: u32, end: End, ctx: &NodeContext) {
        let Some(running) = self.running.remove(&id) else {
            return;
        };
        if self.spawn {
            ended_passing(running.msg, &end, self.old_return_code, ctx);
        } else {
            let line = &running.line;
            ended_collecting(running.msg, Ok(end), line, self.old_return_code, ctx);
        }
    }
}

/// The words of a command without a shell: blanks part them, except within double quotes; quotes around a whole word go.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let mut end = 0;
        while let Some(next) = rest[end..].chars().next().filter(|c| !c.is_whitespace()) {
            if next != '"' {
                end += next.len_utf8();
                continue;
            }
            match rest[end + 1..].find('"') {
                Some(length) => end += length + 2,
                // A quote that nobody closes parts words, as it does in Node-RED.
                None => break,
            }
        }
        let word = &rest[..end];
        if word.is_empty() {
            end = 1;
        } else {
            let inner = word
                .strip_prefix('"')
                .and_then(|word| word.strip_suffix('"'));
            words.push(inner.unwrap_or(word).to_owned());
        }
        rest = rest[end..].trim_start();
    }
    words
}

#[cfg(unix)]
fn in_shell(line: &str) -> Command {
    const BASH: &str = "/bin/bash";
    let shell = if cfg!(target_os = "linux") && std::path::Path::new(BASH).exists() {
        BASH
    } else {
        "/bin/sh"
    };
    let mut command = Command::new(shell);
    command.arg("-c").arg(line);
    command
}

#[cfg(windows)]
fn in_shell(line: &str) -> Command {
    let mut command = Command::new("cmd.exe");
    command.raw_arg(format!("/d /s /c \"{line}\""));
    command
}

#[cfg(unix)]
fn without_shell(program: &str, arguments: &[String]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// Only Windows opens windows.
#[cfg(unix)]
fn dressed(command: Command, _hide_window: bool) -> Command {
    command
}

#[cfg(windows)]
fn dressed(mut command: Command, hide_window: bool) -> Command {
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    if hide_window {
        command.creation_flags(CREATE_NO_WINDOW);
    }
    command
}

/// As in Node-RED: batch files need the shell.
#[cfg(windows)]
fn without_shell(program: &str, arguments: &[String]) -> Command {
    in_shell(&format!("{program} {}", arguments.join(" ")))
}

impl Node for Exec {
    fn on_input(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        if msg.fields().contains_key("kill") {
            self.kill(msg, ctx)
        } else {
            self.start(msg, ctx)
        }
    }

    fn on_event(&mut self, event: AnyEvent, ctx: &NodeContext) {
        if let Ok(event) = event.downcast::<ProcessEvent>() {
            match *event {
                ProcessEvent::Wrote { id, stream, bytes } => self.wrote(id, stream, bytes, ctx),
                ProcessEvent::Ended { id, end } => self.ended(id, end, ctx),
            }
        }
    }

    fn on_close(&mut self, _removed: bool, ctx: &NodeContext) -> Closing {
        self.running.clear();
        ctx.status(Status::default());
        match self.processes.take() {
            Some(processes) => Closing::Later(Box::pin(processes.end_all())),
            None => Closing::Done,
        }
    }

    fn props(&self) -> Object {
        let mut props = Object::new();
        props.insert("cmd", self.command.as_str().into());
        let added = match self.added.as_str() {
            "false" => Value::Bool(false),
            added => added.into(),
        };
        props.insert("addpay", added);
        props.insert("append", self.append.as_str().into());
        props.insert("useSpawn", self.spawn.into());
        let limit = self.limit.map_or(0.0, |limit| limit.as_secs_f64() * 1000.0);
        props.insert("timer", limit.into());
        props.insert("oldrc", self.old_return_code.to_string().into());
        let mut options = Object::new();
        options.insert("encoding", "binary".into());
        options.insert("maxBuffer", self.most_output.into());
        options.insert("windowsHide", self.hide_window.into());
        #[cfg(target_os = "linux")]
        if std::path::Path::new("/bin/bash").exists() {
            options.insert("shell", "/bin/bash".into());
        }
        props.insert("execOpt", options.into());
        let mut options = Object::new();
        options.insert("windowsHide", self.hide_window.into());
        props.insert("spawnOpt", options.into());
        props
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn words_are_parted_as_in_node_red() {
        for (line, expected) in [
            ("echo  a\tb ", vec!["echo", "a", "b"]),
            ("echo \"a  b\" c", vec!["echo", "a  b", "c"]),
            ("echo x\"a b\"y", vec!["echo", "x\"a b\"y"]),
            ("echo \"\" z", vec!["echo", "", "z"]),
            ("echo 'a b'", vec!["echo", "'a", "b'"]),
            ("echo \"open end", vec!["echo", "open", "end"]),
            ("é\"ü\"", vec!["é\"ü\""]),
            ("\"", vec![]),
        ] {
            assert_eq!(words(line), expected, "{line}");
        }
    }
}
