//! delay: when each kind lets messages out, what they order it to do, what it shows.

mod rate;

use std::time::Duration;

use flowrill::{
    engine::{LogLevel, RuntimeSettings},
    flow::DeployMode,
    services::Services,
};
use serde_json::{Value as Json, json};

use crate::support::flows::{Seen, TestFlows, got, logged, node};

fn flows(properties: Json) -> Json {
    let mut tested = node("d", "delay", properties);
    tested["wires"] = json!([["end"], ["second"]]);
    json!([
        tested,
        node("end", "junction", json!({})),
        node("second", "junction", json!({})),
        node(
            "ended",
            "complete",
            json!({"scope": ["d"], "wires": [["done"]]})
        ),
        node("done", "junction", json!({})),
        node("caught", "catch", json!({"wires": [["error"]]})),
        node("error", "junction", json!({})),
    ])
}

async fn delay(properties: Json) -> TestFlows {
    let mut test = TestFlows::run(flows(properties)).await;
    test.settle().await;
    test
}

/// The payloads that reached a node.
fn payloads(seen: &[Seen], node: &str) -> Vec<Json> {
    got(seen, node)
        .iter()
        .map(|msg| msg["payload"].clone())
        .collect()
}

/// What the delay node showed.
fn shown(seen: &[Seen]) -> Vec<String> {
    let statuses = seen.iter().filter_map(|seen| match seen {
        Seen::Status(id, status) if id == "d" => Some(
            ["fill", "shape", "text"]
                .map(|part| status[part].as_str().unwrap_or("-"))
                .join(" "),
        ),
        _ => None,
    });
    statuses.collect()
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Sends payloads 1, 2, … in one go.
fn send(test: &TestFlows, count: u32) {
    for payload in 1..=count {
        test.send("d", json!({"payload": payload}));
    }
}

/// Lets time pass in steps and tells which payloads reached a node in each.
async fn steps(test: &mut TestFlows, node: &str, step: u64, count: usize) -> Vec<Vec<Json>> {
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(payloads(&test.after(ms(step)).await, node));
    }
    all
}

#[tokio::test(start_paused = true)]
async fn settings_become_milliseconds() {
    for (properties, expected) in [
        (
            json!({"timeout": 5, "timeoutUnits": "seconds"}),
            json!({"timeout": 5000}),
        ),
        (json!({"timeout": "5"}), json!({"timeout": 5000})),
        (
            json!({"timeout": "20", "timeoutUnits": "milliseconds"}),
            json!({"timeout": 20}),
        ),
        (
            json!({"timeout": 2, "timeoutUnits": "minutes"}),
            json!({"timeout": 120_000}),
        ),
        (
            json!({"timeout": 2, "timeoutUnits": "hours"}),
            json!({"timeout": 7_200_000}),
        ),
        (
            json!({"timeout": 2, "timeoutUnits": "days"}),
            json!({"timeout": 172_800_000}),
        ),
        (
            json!({"rate": 2, "rateUnits": "second"}),
            json!({"rate": 500}),
        ),
        (
            json!({"rate": "2", "rateUnits": "minute", "nbRateUnits": "3"}),
            json!({"rate": 90_000, "timer": 180_000}),
        ),
        (
            json!({"rate": 1, "rateUnits": "hour", "nbRateUnits": 0}),
            json!({"rate": 3_600_000}),
        ),
        (
            json!({"rate": 1, "rateUnits": "day"}),
            json!({"rate": 86_400_000}),
        ),
        (
            json!({"randomFirst": "1", "randomLast": "3", "randomUnits": "seconds"}),
            json!({"randomFirst": 1000, "randomLast": 3000, "diff": 2000}),
        ),
        (
            json!({"drop": true, "name": "n"}),
            json!({"drop": true, "name": "n", "pauseType": "delay"}),
        ),
    ] {
        let test = delay(properties.clone()).await;
        let props = test.engine.props("d").await.unwrap();
        for (key, value) in expected.as_object().unwrap() {
            let found = flowrill::message::to_wire(props.get(key).unwrap());
            assert_eq!(found.as_f64(), value.as_f64(), "{key} of {properties}");
            assert!(
                found.as_f64().is_some() || found == *value,
                "{key} of {properties}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_message_waits_its_time() {
    let mut test = delay(json!({"pauseType": "delay", "timeout": 2})).await;
    test.send("d", json!({"payload": "a"}));
    assert_eq!(shown(&test.after(ms(520)).await), ["blue dot 1"]);
    test.send("d", json!({"payload": "b"}));
    assert_eq!(
        steps(&mut test, "end", 500, 5).await,
        [vec![], vec![], vec![json!("a")], vec![], vec![json!("b")]]
    );
    let mut test = delay(json!({"pauseType": "delay", "timeout": 1})).await;
    send(&test, 2);
    let seen = test.after(ms(1100)).await;
    assert_eq!(
        shown(&seen),
        Vec::<String>::new(),
        "short waits show nothing"
    );
    assert_eq!(payloads(&seen, "end"), [json!(1), json!(2)]);
    assert_eq!(payloads(&seen, "done"), [json!(1), json!(2)]);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_no_number_or_very_long() {
    let mut test = delay(json!({"pauseType": "delay", "timeout": "soon"})).await;
    send(&test, 1);
    assert_eq!(steps(&mut test, "end", 5, 1).await, [vec![json!(1)]]);
    let mut test =
        delay(json!({"pauseType": "delay", "timeout": 40, "timeoutUnits": "days"})).await;
    send(&test, 1);
    let day = 86_400_000;
    assert_eq!(
        steps(&mut test, "end", 39 * day, 1).await,
        [Vec::<Json>::new()]
    );
    assert_eq!(steps(&mut test, "end", 2 * day, 1).await, [vec![json!(1)]]);
}

#[tokio::test(start_paused = true)]
async fn delayed_messages_can_be_flushed_or_dropped() {
    for kind in ["delay", "delayv", "random"] {
        let properties =
            json!({"pauseType": kind, "timeout": 60, "randomFirst": 50, "randomLast": 60});
        let mut test = delay(properties).await;
        send(&test, 4);
        test.send("d", json!({"flush": 2.7}));
        let seen = test.settle().await;
        assert_eq!(payloads(&seen, "end"), [json!(1), json!(2)], "{kind}");
        assert_eq!(
            payloads(&seen, "done"),
            [Json::Null, json!(1), json!(2)],
            "{kind}"
        );
        assert_eq!(shown(&seen).last().unwrap(), "blue dot 2", "{kind}");
        test.send("d", json!({"flush": true, "payload": 5}));
        assert_eq!(
            payloads(&test.settle().await, "end"),
            [json!(3), json!(4), json!(5)],
            "{kind}"
        );
        send(&test, 2);
        test.send("d", json!({"reset": true}));
        let seen = test.after(ms(100_000)).await;
        assert_eq!(got(&seen, "end"), Vec::<Json>::new(), "{kind}");
        assert_eq!(
            got(&seen, "done").len(),
            3,
            "{kind}: what is dropped is done with"
        );
        assert!(shown(&seen).contains(&"blue ring 0".to_owned()), "{kind}");
        for flush in [json!(-1), json!({"$t": "number", "v": "NaN"})] {
            send(&test, 1);
            test.send("d", json!({"flush": flush}));
            assert_eq!(
                got(&test.settle().await, "end"),
                Vec::<Json>::new(),
                "{kind}"
            );
            test.send("d", json!({"reset": 1}));
            test.settle().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn messages_name_their_own_delay() {
    let mut test = delay(json!({"pauseType": "delayv", "timeout": 5})).await;
    for (payload, delay) in [
        (1, json!(2000)),
        (2, json!("1000ms")),
        (3, json!(-5)),
        (4, json!("soon")),
    ] {
        test.send("d", json!({"payload": payload, "delay": delay}));
    }
    assert_eq!(
        steps(&mut test, "end", 900, 6).await,
        [
            vec![json!(3)],
            vec![json!(2)],
            vec![json!(1)],
            vec![],
            vec![],
            vec![json!(4)]
        ]
    );
    test.send("d", json!({"payload": 1, "delay": 1}));
    assert_eq!(
        shown(&test.after(ms(10)).await),
        ["blue dot 1", "- - -", "blue dot 0"]
    );
}

#[tokio::test(start_paused = true)]
async fn random_delays_stay_within_their_bounds() {
    let mut test = delay(json!({"pauseType": "random", "randomFirst": 1, "randomLast": 3})).await;
    send(&test, 100);
    assert_eq!(steps(&mut test, "end", 999, 1).await, [Vec::<Json>::new()]);
    let early = payloads(&test.after(ms(1000)).await, "end").len();
    let late = payloads(&test.after(ms(1005)).await, "end").len();
    assert_eq!(early + late, 100);
    assert!(early > 10 && late > 10, "{early} and {late}");
}

#[tokio::test(start_paused = true)]
async fn what_is_held_is_bounded() {
    let settings = RuntimeSettings {
        message_buffer_max_length: 3,
        ..RuntimeSettings::default()
    };
    for properties in [
        json!({"pauseType": "rate", "rate": 1, "nbRateUnits": 5}),
        json!({"pauseType": "delay", "timeout": 5}),
        json!({"pauseType": "queue", "rate": 1, "nbRateUnits": 5}),
    ] {
        let mut test = TestFlows::with_services(&Services::default(), settings.clone());
        test.deploy(flows(properties.clone()), DeployMode::Full)
            .await;
        test.settle().await;
        for payload in 1..=5 {
            test.send("d", json!({"payload": payload, "topic": payload}));
        }
        let seen = test.after(ms(60_000)).await;
        let error = got(&seen, "error");
        assert_eq!(error.len(), 1, "{properties}");
        assert!(
            error[0]["error"]["message"]
                .as_str()
                .unwrap()
                .contains("Too many")
        );
        let left = payloads(&seen, "end");
        let expected = if properties["pauseType"] == "rate" {
            json!([1])
        } else {
            json!([5])
        };
        assert_eq!(json!(left), expected, "{properties}");
        assert_eq!(logged(&seen, LogLevel::Error), Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_after_a_stop() {
    for kind in [
        "delay",
        "delayv",
        "random",
        "rate",
        "burst",
        "queue",
        "timed",
        "no such kind",
    ] {
        let properties = json!({"pauseType": kind, "timeout": 5, "randomFirst": 5, "randomLast": 5, "rate": 1, "nbRateUnits": 5});
        let mut test = delay(properties).await;
        send(&test, 3);
        test.settle().await;
        test.deploy(
            json!([node("end", "junction", json!({}))]),
            DeployMode::Full,
        )
        .await;
        let seen = test.after(ms(100_000)).await;
        assert_eq!(got(&seen, "end"), Vec::<Json>::new(), "{kind}");
        if kind != "no such kind" {
            assert!(shown(&seen).contains(&"- - -".to_owned()), "{kind}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn odd_messages_harm_nobody() {
    for kind in [
        "delay", "delayv", "random", "rate", "burst", "queue", "timed",
    ] {
        let mut test = delay(json!({"pauseType": kind, "rate": 0, "allowrate": true})).await;
        for odd in [
            json!({}),
            json!({"topic": {"a": 1}, "rate": {}, "delay": [], "flush": {"$t": "undefined"}, "reset": null}),
            json!({"topic": null, "rate": {"$t": "number", "v": "Infinity"}, "delay": {"$t": "number", "v": "Infinity"}}),
            json!({"rate": -5, "delay": "1e400", "flush": {"$t": "number", "v": "Infinity"}, "toFront": 1}),
            json!({"payload": "last", "reset": 1}),
        ] {
            test.send("d", odd);
        }
        let seen = test.after(ms(1000)).await;
        assert_eq!(
            logged(&seen, LogLevel::Error),
            Vec::<String>::new(),
            "{kind}"
        );
    }
}
