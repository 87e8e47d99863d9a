//! The real binary, on free ports, ended by its own process id.

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

/// How long a start or an end may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running Flowrill. Dropped, it is killed.
pub(crate) struct Flowrill {
    child: Child,
    /// The base address of its HTTP interface, without a slash at the end.
    pub(crate) http: String,
    /// Address and port of its broker; none when it is off.
    pub(crate) mqtt: Option<String>,
    /// What it printed until all was running.
    pub(crate) banner: String,
}

/// Where the binary is.
pub(crate) fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_flowrill"))
}

/// A command that no setting of this machine reaches.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = undisturbed(Command::new(binary()));
    command.args(arguments);
    command
}

fn undisturbed(mut command: Command) -> Command {
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FLOWRILL_")) {
        command.env_remove(name);
    }
    command
}

/// Runs the binary to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

impl Flowrill {
    /// Starts over a data folder, with these options besides.
    pub(crate) fn start(data: &Path, options: &[&str]) -> Self {
        let data = data.to_str().unwrap();
        let mut all = vec!["--data", data, "--http", "127.0.0.1:0"];
        if !options.contains(&"--no-broker") && !options.contains(&"--mqtt") {
            all.extend(["--mqtt", "127.0.0.1:0"]);
        }
        all.extend(options);
        Self::from_command(command(&all))
    }

    /// The same in a process that may open so few files at first.
    pub(crate) fn start_narrow(data: &Path, options: &[&str], files: u32) -> Self {
        let mut command = undisturbed(Command::new("sh"));
        let script = format!("ulimit -S -n {files} && exec \"$0\" \"$@\"");
        command.args(["-c", &script]).arg(binary());
        command.args(["--data", data.to_str().unwrap()]);
        command.args(["--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0"]);
        command.args(options);
        Self::from_command(command)
    }

    /// Starts a command that prints its addresses.
    pub(crate) fn from_command(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        let errors = child.stderr.take().unwrap();
        let (lines, printed) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = lines.send(line);
            }
        });
        // Shown when the test fails; and the process must not block on a full pipe.
        std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                eprintln!("[flowrill] {line}");
            }
        });
        let mut started = Self {
            child,
            http: String::new(),
            mqtt: None,
            banner: String::new(),
        };
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(line) = printed.recv_timeout(left) else {
                panic!("it did not start; it printed:\n{}", started.banner);
            };
            started.take_line(&line);
            if line.trim_start().starts_with("Stop") {
                return started;
            }
        }
    }

    fn take_line(&mut self, line: &str) {
        self.banner.push_str(line);
        self.banner.push('\n');
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("Editor"), Some(address)) => self.http = address.to_owned(),
            (Some("MQTT"), Some(address)) => {
                self.mqtt = address.strip_prefix("mqtt://").map(str::to_owned);
            }
            _ => {}
        }
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to stop (SIGTERM) and waits until it has.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        let pid = self.pid().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "it did not stop");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Flowrill {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What a process wrote to standard error.
pub(crate) fn errors(output: &Output) -> String {
    let mut text = String::new();
    output.stderr.as_slice().read_to_string(&mut text).unwrap();
    text
}
