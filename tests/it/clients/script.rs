//! Programs in other languages: they take the ways in as an argument, and end with 1 and a sentence where something differs.

use std::{path::Path, process::Stdio};

use serde_json::Value as Json;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::Command,
};

use super::{place::Place, repository};

pub(super) struct Script {
    language: String,
    before: Vec<String>,
    file: String,
    variables: Vec<(String, String)>,
}

impl Script {
    pub(super) fn new(language: &str, before: &[&str], file: &str) -> Self {
        Self {
            language: language.to_owned(),
            before: before.iter().map(|one| (*one).to_owned()).collect(),
            file: file.to_owned(),
            variables: Vec::new(),
        }
    }

    /// With a variable in its environment.
    pub(super) fn with(mut self, name: &str, value: &Path) -> Self {
        self.variables
            .push((name.to_owned(), value.display().to_string()));
        self
    }

    /// This, if the language runs those arguments.
    pub(super) fn if_it_has(self, arguments: &[&str], what: &str) -> Option<Self> {
        let mut test = std::process::Command::new(&self.language);
        test.args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        test.envs(self.variables.iter().cloned());
        let found = test.status().is_ok_and(|status| status.success());
        assert!(
            found || std::env::var_os("FLOWRILL_TEST_ALL").is_none(),
            "{what} is missing, and nothing may be left out here: run sh tests/tools.sh"
        );
        if !found {
            eprintln!("left out: {what} is not installed");
        }
        found.then_some(self)
    }

    fn command(&self, ways: &Json) -> Command {
        let mut command = Command::new(&self.language);
        command
            .args(&self.before)
            .arg(repository(&self.file))
            .arg(ways.to_string())
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs it to its end, which is to be a good one.
    pub(super) async fn run(&self, ways: &Json) {
        let output = self.command(ways).output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}:\n{said}", self.file);
    }

    /// The same with one that says `stop` or `kill` when Flowrill is to be started anew, and waits until it is.
    pub(super) async fn run_through_restarts(&self, place: &mut Place) {
        let mut child = self.command(&place.ways).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut wishes = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut errors = child.stderr.take().unwrap();
        let mut said = String::new();
        let serve = async {
            while let Some(how) = wishes.next_line().await.unwrap() {
                place.restart(&how).await;
                input.write_all(b"done\n").await.unwrap();
            }
        };
        let (read, ()) = tokio::join!(errors.read_to_string(&mut said), serve);
        read.unwrap();
        let status = child.wait().await.unwrap();
        assert!(status.success(), "{}:\n{said}", self.file);
    }
}
