//! The whole binary with other people's MQTT clients: what they publish goes through a flow and comes back.
//!
//! Needs `mosquitto_pub` and `mosquitto_sub`; without them it says so and passes, except where nothing may be left out.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::json;

use crate::support::process::Flowrill;

fn is_there(program: &str) -> bool {
    let found = Command::new(program)
        .arg("--help")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok();
    assert!(
        found || std::env::var_os("FLOWRILL_TEST_ALL").is_none(),
        "{program} is missing, and nothing may be left out here"
    );
    if !found {
        eprintln!("left out: {program} is not installed");
    }
    found
}

struct Client<'a> {
    port: &'a str,
    version: &'a str,
}

impl Client<'_> {
    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(["-h", "127.0.0.1", "-p", self.port, "-V", self.version])
            .args(arguments);
        command
    }

    fn publish(&self, arguments: &[&str]) {
        let status = self.command("mosquitto_pub", arguments).status().unwrap();
        assert!(
            status.success(),
            "mosquitto_pub {arguments:?} with {}",
            self.version
        );
    }

    /// Subscribes; `-C` in the arguments ends it after so many messages, `-W` after so many seconds.
    fn subscribe(&self, arguments: &[&str]) -> Child {
        self.command("mosquitto_sub", arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

fn lines(mut child: Child) -> Vec<String> {
    let output = child.stdout.take().unwrap();
    let lines = BufReader::new(output)
        .lines()
        .map_while(Result::ok)
        .collect();
    child.wait().unwrap();
    lines
}

#[test]
fn other_clients_of_every_version_and_qos_are_answered() {
    if !is_there("mosquitto_pub") || !is_there("mosquitto_sub") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let flows = json!([
        {"id": "t", "type": "tab", "label": "T"},
        {"id": "in", "type": "mqtt in", "z": "t", "topic": "in/+", "qos": "2", "datatype": "utf8", "x": 1, "y": 1, "wires": [["f"]]},
        {"id": "f", "type": "function", "z": "t", "func": "msg.topic = msg.topic.replace('in', 'out'); msg.payload = msg.payload * 2; return msg", "x": 1, "y": 1, "wires": [["out"]]},
        {"id": "out", "type": "mqtt out", "z": "t", "x": 1, "y": 1, "wires": []}
    ]);
    let file = folder.path().join("flows.json");
    fs::write(&file, flows.to_string()).unwrap();
    let running = Flowrill::start(
        &folder.path().join("data"),
        &["--no-sample", "--flows", file.to_str().unwrap()],
    );
    let address = running.mqtt.clone().unwrap();
    let port = address.rsplit_once(':').unwrap().1;
    for version in ["mqttv31", "mqttv311", "mqttv5"] {
        for qos in ["0", "1", "2"] {
            let client = Client { port, version };
            let topic = format!("out/{version}{qos}");
            let listening = client.subscribe(&["-t", &topic, "-q", qos, "-C", "1", "-W", "20"]);
            // mosquitto_sub does not say when it has subscribed, so the question is asked until it is answered.
            let asked = Instant::now();
            let mut listening = listening;
            while listening.try_wait().unwrap().is_none()
                && asked.elapsed() < Duration::from_secs(20)
            {
                client.publish(&["-t", &topic.replace("out", "in"), "-q", qos, "-m", "21"]);
                std::thread::sleep(Duration::from_millis(50));
            }
            assert_eq!(lines(listening), ["42"], "{version}, QoS {qos}");
        }
        let client = Client { port, version };
        client.publish(&["-t", "kept/a", "-r", "-q", "1", "-m", version]);
        let kept = client.subscribe(&["-t", "kept/#", "-v", "-C", "1", "-W", "20"]);
        assert_eq!(lines(kept), [format!("kept/a {version}")]);
    }
}
