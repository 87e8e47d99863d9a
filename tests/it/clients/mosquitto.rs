//! Mosquitto's command-line clients, as scripts use them. What a flow makes of their messages is in `tests/it/mosquitto.rs`.

use std::process::Stdio;

use serde_json::Value as Json;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::{Duration, timeout},
};

use super::{place::Place, script::Script};

/// Only against hanging for ever.
const PATIENCE: Duration = Duration::from_secs(60);

fn are_there() -> bool {
    let programs = ["mosquitto_pub", "mosquitto_sub", "mosquitto_rr", "stdbuf"];
    let help = |program: &&str| {
        Script::new("sh", &[], "").if_it_has(&["-c", &format!("command -v {program}")], program)
    };
    programs.iter().filter_map(help).count() == programs.len()
}

/// A version and a way in, after which everything is named.
#[derive(Clone)]
struct Round {
    version: &'static str,
    way: &'static str,
    options: Vec<String>,
}

fn rounds(ways: &Json) -> Vec<Round> {
    let place = |way: &str| {
        let address = ways[way].as_str().unwrap();
        let (host, port) = address.rsplit_once(':').unwrap();
        [
            "-h".to_owned(),
            host.to_owned(),
            "-p".to_owned(),
            port.to_owned(),
        ]
    };
    let ca = [
        "--cafile".to_owned(),
        ways["ca"].as_str().unwrap().to_owned(),
    ];
    let versions = ["mqttv31", "mqttv311", "mqttv5"];
    let one = |version: &'static str, way| {
        let version_option = ["-V".to_owned(), version.to_owned()];
        let tls = ca.iter().filter(|_| way == "tls").cloned();
        let options = place(way).into_iter().chain(version_option).chain(tls);
        Round {
            version,
            way,
            options: options.collect(),
        }
    };
    versions
        .into_iter()
        .flat_map(|version| ["tcp", "tls"].map(|way| one(version, way)))
        .collect()
}

/// A subscriber that runs.
struct Subscriber {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Subscriber {
    /// The next line of its output.
    async fn line(&mut self) -> String {
        let line = timeout(PATIENCE, self.lines.next_line()).await;
        let line = line.expect("nothing comes").unwrap();
        line.expect("it has ended")
    }
}

impl Round {
    fn name(&self, rest: &str) -> String {
        format!("{}{}/{rest}", self.version, self.way)
    }

    /// Options that make a session outlive its connection.
    fn lasting(&self, id: &str) -> Vec<String> {
        let expiry: &[&str] = if self.version == "mqttv5" {
            &["-x", "3600"]
        } else {
            &[]
        };
        let id = self.name(id);
        let options = ["-c", "-i", &*id].into_iter().chain(expiry.iter().copied());
        options.map(str::to_owned).collect()
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        // They would keep back what they print to a pipe.
        let mut command = Command::new("stdbuf");
        command
            .args(["-oL", program])
            .args(&self.options)
            .args(arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Runs a program to its end; what it printed.
    async fn run(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.command(program, arguments).output();
        let output = timeout(PATIENCE, output).await;
        let output = output
            .unwrap_or_else(|_| panic!("{program} {arguments:?} of {} does not end", self.name("")))
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    async fn publish(&self, topic: &str, payload: &str, more: &[&str]) {
        let arguments = [&["-t", topic, "-m", payload], more].concat();
        self.run("mosquitto_pub", &arguments).await;
    }

    /// Subscribes; gives the client once it has been granted that.
    async fn subscribe(&self, topic: &str, more: &[&str]) -> Subscriber {
        let arguments = [&["-d", "-t", topic], more].concat();
        let mut child = self
            .command("mosquitto_sub", &arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut subscriber = Subscriber { child, lines };
        while !subscriber.line().await.starts_with("Subscribed") {}
        subscriber
    }

    /// The next message of a subscriber, as it prints it.
    async fn message(&self, subscriber: &mut Subscriber) -> String {
        loop {
            let line = subscriber.line().await;
            // What `-d` tells besides.
            if !line.starts_with("Client ") && !line.starts_with("Subscribed") {
                return line;
            }
        }
    }

    async fn exchange(self) {
        self.retained().await;
        self.wills().await;
        self.shared().await;
        self.begin_session().await;
        self.go_on_with_session(&["one", "two"]).await;
        if self.version == "mqttv5" {
            self.properties().await;
        }
        if self.version != "mqttv31" {
            self.request_and_response().await;
        }
        let login = ["-u", "ann", "-P", "right"];
        self.publish(&self.name("login"), "x", &login).await;
        let wrong = ["-t", "x", "-m", "x", "-u", "ann", "-P", "wrong"];
        let status = self
            .command("mosquitto_pub", &wrong)
            .stderr(Stdio::null())
            .status();
        assert!(!status.await.unwrap().success(), "a wrong password");
    }

    async fn retained(&self) {
        let topic = self.name("kept/a");
        for qos in ["0", "1", "2"] {
            self.publish(&topic, qos, &["-r", "-q", qos]).await;
        }
        let filter = self.name("kept/#");
        let format = ["-q", "1", "-F", "%t %q %r %p", "-C", "1"];
        let arguments = [&["-t", &*filter], &format[..]].concat();
        let got = self.run("mosquitto_sub", &arguments).await;
        assert_eq!(got, format!("{topic} 1 1 2\n"));
        self.run("mosquitto_pub", &["-t", &topic, "-r", "-n"]).await;
    }

    async fn wills(&self) {
        let topic = self.name("will");
        let mut watcher = self.subscribe(&topic, &["-q", "2", "-F", "%q %p"]).await;
        let will = [
            "--will-topic",
            &*topic,
            "--will-payload",
            "gone",
            "--will-qos",
            "2",
        ];
        let mut lost = self.subscribe("nothing", &will).await;
        lost.child.kill().await.unwrap();
        assert_eq!(self.message(&mut watcher).await, "2 gone");
        let polite = [&["-E", "-t", "nothing"], &will[..]].concat();
        self.run("mosquitto_sub", &polite).await;
        self.publish(&topic, "end", &[]).await;
        assert_eq!(self.message(&mut watcher).await, "0 end");
    }

    async fn shared(&self) {
        let topic = self.name("shared");
        let mut member = self
            .subscribe(&format!("$share/g/{topic}"), &["-q", "1"])
            .await;
        for payload in ["one", "two", "three"] {
            self.publish(&topic, payload, &["-q", "1"]).await;
            assert_eq!(self.message(&mut member).await, payload);
        }
    }

    async fn begin_session(&self) {
        let (topic, lasting) = (self.name("session"), self.lasting("sleeper"));
        let lasting: Vec<&str> = lasting.iter().map(String::as_str).collect();
        let arguments = [&["-E", "-t", &*topic, "-q", "2"], &lasting[..]].concat();
        self.run("mosquitto_sub", &arguments).await;
        self.publish(&topic, "one", &["-q", "1"]).await;
        self.publish(&topic, "two", &["-q", "2"]).await;
    }

    async fn go_on_with_session(&self, wanted: &[&str]) {
        let (topic, lasting) = (self.name("session"), self.lasting("sleeper"));
        let lasting: Vec<&str> = lasting.iter().map(String::as_str).collect();
        let count = wanted.len().to_string();
        let arguments = [&["-t", &*topic, "-q", "2", "-C", &count], &lasting[..]].concat();
        let got = self.run("mosquitto_sub", &arguments).await;
        assert_eq!(got.lines().collect::<Vec<_>>(), wanted, "{topic}");
    }

    async fn properties(&self) {
        let topic = self.name("properties");
        let format = ["-F", "%C %R %P %p"];
        let mut subscriber = self.subscribe(&topic, &format).await;
        let given = [
            ["content-type", "text/plain"],
            ["response-topic", "answer/here"],
        ];
        let given = given
            .iter()
            .flat_map(|pair| ["-D", "publish"].into_iter().chain(*pair));
        let user = ["-D", "publish", "user-property", "a", "1"];
        let given: Vec<&str> = given.chain(user).collect();
        self.publish(&topic, "21", &given).await;
        let got = self.message(&mut subscriber).await;
        assert_eq!(got, "text/plain answer/here a:1 21");
    }

    async fn request_and_response(&self) {
        let (question, answers) = (self.name("question"), self.name("answers"));
        let mut asked = self.subscribe(&question, &["-F", "%R %p"]).await;
        let request = ["-t", &*question, "-e", &*answers, "-m", "21", "-q", "1"];
        let request = self.run("mosquitto_rr", &request);
        let answer = async {
            let wanted = match self.version {
                "mqttv5" => format!("{answers} 21"),
                // Before MQTT 5 both know the topic.
                _ => " 21".to_owned(),
            };
            assert_eq!(self.message(&mut asked).await, wanted);
            self.publish(&answers, "42", &["-q", "1"]).await;
        };
        let (response, ()) = tokio::join!(request, answer);
        assert_eq!(response, "42\n");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mosquitto_exchanges() {
    if are_there() {
        let place = Place::start().await;
        for round in rounds(&place.ways) {
            round.exchange().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mosquitto_through_restarts() {
    if are_there() {
        let mut place = Place::start_behind_relays().await;
        let rounds = rounds(&place.ways);
        for round in &rounds {
            round.begin_session().await;
            round
                .publish(&round.name("kept"), "kept", &["-r", "-q", "1"])
                .await;
        }
        place.restart("stop").await;
        for round in &rounds {
            round
                .publish(&round.name("session"), "three", &["-q", "2"])
                .await;
        }
        place.restart("kill").await;
        for round in &rounds {
            round.go_on_with_session(&["one", "two", "three"]).await;
            let kept = ["-t", &*round.name("kept"), "-C", "1"];
            assert_eq!(round.run("mosquitto_sub", &kept).await, "kept\n");
        }
    }
}
