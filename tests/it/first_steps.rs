//! The sample flow of a first start: it makes readings, and takes whatever a person may publish.

use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::support::flows::{Seen, TestFlows, got};

const SENSOR: &str = "f1a5700000000005"; // mqtt out demo/sensor
const CONVERT: &str = "f1a5700000000007";
const RESULT: &str = "f1a5700000000008"; // mqtt out out/sensor
const DEBUG: &str = "f1a5700000000009";

async fn sample() -> TestFlows {
    let flows = include_str!("../../flows/first-steps.json");
    TestFlows::run(serde_json::from_str(flows).unwrap()).await
}

#[tokio::test(start_paused = true)]
async fn a_reading_is_made_every_two_seconds() {
    let mut test = sample().await;
    let seen = test.after(Duration::from_millis(6_500)).await;
    let readings = got(&seen, SENSOR);
    assert_eq!(readings.len(), 4, "{readings:?}");
    for reading in readings {
        let celsius = reading["payload"]["celsius"].as_f64().unwrap();
        assert!((19.0..=23.0).contains(&celsius));
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_a_person_publishes_is_converted() {
    let mut test = sample().await;
    test.settle().await;
    let given = [
        json!(21),
        json!("21"),
        json!({"celsius": 21}),
        json!("{\"celsius\": 21}"),
        json!({"$t": "buffer", "v": "MjE="}),
    ];
    for payload in given {
        test.send(CONVERT, json!({"topic": "demo/sensor", "payload": payload}));
        let seen = test.settle().await;
        for target in [RESULT, DEBUG] {
            let messages = got(&seen, target);
            assert_eq!(messages.len(), 1, "{payload} gave {seen:?}");
            assert_eq!(
                messages[0]["payload"],
                json!({"celsius": 21, "fahrenheit": 69.8})
            );
        }
        assert_eq!(status(&seen)["text"], "21 °C = 69.8 °F");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_temperature_is_said() {
    let mut test = sample().await;
    test.settle().await;
    for payload in [
        json!("warm"),
        json!(null),
        json!({}),
        json!(""),
        json!([1, 2]),
    ] {
        test.send(CONVERT, json!({"payload": payload}));
        let seen = test.settle().await;
        assert!(got(&seen, RESULT).is_empty(), "{payload}");
        assert_eq!(status(&seen)["fill"], "red", "{payload}");
    }
}

fn status(seen: &[Seen]) -> Json {
    let mut statuses = seen.iter().filter_map(|seen| match seen {
        Seen::Status(id, status) if id == CONVERT => Some(status.clone()),
        _ => None,
    });
    statuses.next_back().unwrap_or_default()
}
