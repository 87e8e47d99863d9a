//! switch: sequences, and what the tables can't say.

use flowrill::{engine::RuntimeSettings, flow::DeployMode, services::Services};
use serde_json::{Value as Json, json};

use super::routing::{flows, run};
use crate::support::flows::{Seen, TestFlows, got};

fn part(id: &str, index: usize, count: usize) -> Json {
    json!({"payload": index, "parts": {"id": id, "index": index, "count": count, "type": "array"}})
}

#[tokio::test(start_paused = true)]
async fn switch_gives_expressions_the_place_in_the_sequence() {
    let rules = json!([{"t": "jsonata_exp", "v": "$I = $N - 1", "vt": "jsonata"}, {"t": "eq", "v": "other + 1", "vt": "jsonata"}]);
    let messages: Vec<Json> = (0..3)
        .map(|index| json!({"payload": index, "other": 0, "parts": {"id": "s", "index": index, "count": 3}}))
        .collect();
    let seen = run(
        "switch",
        json!({"property": "payload", "rules": rules}),
        &messages,
    )
    .await;
    let payloads = |output: &str| {
        got(&seen, output)
            .iter()
            .map(|msg| msg["payload"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(payloads("o0"), [json!(2)]);
    assert_eq!(payloads("o1"), [json!(1)]);
}

#[tokio::test(start_paused = true)]
async fn repair_makes_a_sequence_of_its_own_for_each_output() {
    let properties = json!({"property": "payload", "repair": true, "rules": [
        {"t": "lt", "v": "2", "vt": "num"}, {"t": "gt", "v": "0", "vt": "num"}, {"t": "gt", "v": "9", "vt": "num"},
    ]});
    let mut test = TestFlows::run(flows("switch", properties)).await;
    // Two sequences in a muddle; only one becomes whole. A message without parts passes at once.
    for msg in [
        part("a", 2, 4),
        part("b", 0, 2),
        part("a", 0, 4),
        json!({"payload": 1}),
        part("a", 3, 4),
    ] {
        test.send("n", msg);
    }
    let seen = test.settle().await;
    assert_eq!(got(&seen, "o0"), [json!({"payload": 1})]);
    assert_eq!(got(&seen, "o1"), [json!({"payload": 1})]);
    test.send("n", part("a", 1, 4));
    let seen = test.settle().await;
    for (output, payloads) in [("o0", vec![0, 1]), ("o1", vec![2, 3, 1]), ("o2", vec![])] {
        let messages = got(&seen, output);
        assert_eq!(
            messages
                .iter()
                .map(|msg| msg["payload"].clone())
                .collect::<Vec<_>>(),
            payloads
        );
        for (index, msg) in messages.iter().enumerate() {
            let parts = &msg["parts"];
            assert_eq!(
                (&parts["index"], &parts["count"], &parts["type"]),
                (&json!(index), &json!(messages.len()), &json!("array"))
            );
            assert_eq!(parts["id"], messages[0]["parts"]["id"]);
            assert_ne!(parts["id"], json!("a"));
        }
    }
    assert_ne!(
        got(&seen, "o0")[0]["parts"]["id"],
        got(&seen, "o1")[0]["parts"]["id"]
    );
}

#[tokio::test(start_paused = true)]
async fn switch_holds_no_more_than_it_may() {
    let settings = RuntimeSettings {
        message_buffer_max_length: 2,
        ..RuntimeSettings::default()
    };
    let mut test = TestFlows::with_services(&Services::default(), settings);
    let rules = json!([{"t": "tail", "v": "1", "vt": "num"}]);
    test.deploy(
        flows("switch", json!({"property": "payload", "rules": rules})),
        DeployMode::Full,
    )
    .await;
    for index in 0..3 {
        test.send("n", part("a", index, 4));
    }
    let seen = test.settle().await;
    let caught = got(&seen, "caught");
    assert!(
        caught[0]["error"]["message"]
            .as_str()
            .unwrap()
            .contains("nodeMessageBufferMaxLength")
    );
    assert_eq!(caught[0]["payload"], json!(2));
    // All is forgotten; a new sequence that fits passes.
    test.send("n", part("a", 3, 4));
    test.send("n", part("c", 0, 1));
    let sent = test.received("o0").await;
    assert_eq!(
        sent.iter()
            .map(|msg| msg["parts"]["id"].clone())
            .collect::<Vec<_>>(),
        [json!("c")]
    );
}

#[tokio::test(start_paused = true)]
async fn all_outputs_of_a_message_have_one_id() {
    let rules = json!([{"t": "else"}, {"t": "nnull"}]);
    let mut test = TestFlows::run(flows(
        "switch",
        json!({"property": "payload", "rules": rules}),
    ))
    .await;
    test.send("n", json!({"payload": 1}));
    let ids: Vec<Json> = test
        .settle()
        .await
        .iter()
        .filter_map(|seen| match seen {
            Seen::Sent(id, _, _, msg) if id == "n" => Some(msg["_msgid"].clone()),
            _ => None,
        })
        .collect();
    assert!(
        ids.len() == 2 && ids[0] == ids[1] && ids[0].is_string(),
        "{ids:?}"
    );
}
