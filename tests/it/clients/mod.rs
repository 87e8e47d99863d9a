//! The whole binary with other people's MQTT clients, over every way in, also where it stops and is killed meanwhile.
//!
//! paho-mqtt (Python) and MQTT.js run the programs of `tests/clients`, rumqttc runs in here. The first difference of each
//! exchange is told in one sentence. What `tests/tools.sh` could not install is left out and said so, except where nothing
//! may be left out (`FLOWRILL_TEST_ALL`).

mod mosquitto;
mod place;
mod relay;
mod rumqtt;
mod script;

use std::path::{Path, PathBuf};

use place::Place;
use script::Script;

/// A path of the repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn paho(program: &str) -> Option<Script> {
    let script = Script::new(
        "python3",
        &["-B"],
        &format!("tests/clients/paho/{program}.py"),
    )
    .with("PYTHONPATH", &repository("target/python"));
    script.if_it_has(&["-c", "import paho.mqtt.client"], "paho-mqtt for Python")
}

#[tokio::test(flavor = "multi_thread")]
async fn paho_exchanges() {
    if let Some(script) = paho("exchanges") {
        let place = Place::start().await;
        script.run(&place.ways).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn paho_through_restarts() {
    if let Some(script) = paho("restarts") {
        let mut place = Place::start_behind_relays().await;
        script.run_through_restarts(&mut place).await;
    }
}

fn mqtt_js(program: &str) -> Option<Script> {
    let script = Script::new("node", &[], &format!("tests/clients/mqttjs/{program}.mjs"));
    let package = repository("web/node_modules/mqtt").display().to_string();
    script.if_it_has(
        &["-e", &format!("require({package:?})")],
        "MQTT.js for Node.js",
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn mqtt_js_exchanges() {
    if let Some(script) = mqtt_js("exchanges") {
        let place = Place::start().await;
        script.run(&place.ways).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mqtt_js_through_restarts() {
    if let Some(script) = mqtt_js("restarts") {
        let mut place = Place::start_behind_relays().await;
        script.run_through_restarts(&mut place).await;
    }
}

/// In a process that the system has given fewer open files than that at first.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_clients_at_once() {
    if let Some(script) = mqtt_js("many") {
        let place = Place::start().await;
        script.run(&place.ways).await;
    }
}
