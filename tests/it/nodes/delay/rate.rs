//! The kinds that limit the rate: evenly, in bursts, by topic.

use serde_json::{Value as Json, json};

use super::{delay, flows, ms, payloads, send, shown, steps};
use crate::support::flows::{TestFlows, got};

#[tokio::test(start_paused = true)]
async fn a_rate_lets_the_first_out_at_once_and_queues_the_rest() {
    let mut test =
        delay(json!({"pauseType": "rate", "rate": 1, "nbRateUnits": 1, "rateUnits": "second"}))
            .await;
    send(&test, 3);
    let seen = test.after(ms(600)).await;
    assert_eq!(payloads(&seen, "end"), [json!(1)]);
    assert_eq!(
        shown(&seen),
        ["blue dot 2"],
        "shown once, after half a second"
    );
    assert_eq!(payloads(&seen, "done"), [json!(1)]);
    assert_eq!(
        steps(&mut test, "end", 1000, 3).await,
        [vec![json!(2)], vec![json!(3)], vec![]]
    );
    assert_eq!(shown(&test.after(ms(2000)).await), Vec::<String>::new());
    send(&test, 1);
    assert_eq!(
        payloads(&test.settle().await, "end"),
        [json!(1)],
        "idle again"
    );
    send(&test, 1);
    assert_eq!(
        steps(&mut test, "end", 990, 2).await,
        [vec![], vec![json!(1)]]
    );
}

#[tokio::test(start_paused = true)]
async fn messages_order_the_queue_about() {
    let slow = json!({"pauseType": "rate", "rate": 1, "rateUnits": "minute", "allowrate": true});
    let mut test = delay(slow.clone()).await;
    send(&test, 3);
    test.send("d", json!({"payload": "first", "toFront": true}));
    test.send("d", json!({"flush": 1}));
    let seen = test.settle().await;
    assert_eq!(payloads(&seen, "end"), [json!(1), json!("first")]);
    assert_eq!(shown(&seen), ["blue dot 2"]);
    test.send("d", json!({"flush": 9, "payload": 4}));
    assert_eq!(
        got(&test.settle().await, "end"),
        [
            json!({"payload": 2}),
            json!({"payload": 3}),
            json!({"payload": 4})
        ]
    );
    send(&test, 2);
    test.send("d", json!({"reset": true}));
    let seen = test.settle().await;
    assert_eq!(got(&seen, "end"), Vec::<Json>::new());
    assert_eq!(shown(&seen), ["blue ring 0"]);
    assert_eq!(got(&seen, "done").len(), 3);
    send(&test, 1);
    assert_eq!(
        payloads(&test.settle().await, "end"),
        [json!(1)],
        "a reset begins anew"
    );
    send(&test, 2);
    test.send("d", json!({"reset": true, "flush": true}));
    let seen = test.settle().await;
    assert_eq!(
        payloads(&seen, "end"),
        [json!(1), json!(2)],
        "flushed, then reset"
    );
    assert_eq!(shown(&seen), ["blue dot 0", "blue ring 0"]);
}

#[tokio::test(start_paused = true)]
async fn messages_may_change_the_rate_if_allowed() {
    for (allowed, expected) in [
        (true, vec![json!(1), json!("quick"), json!(2)]),
        (false, vec![json!(1), json!("quick")]),
    ] {
        let mut test = delay(
            json!({"pauseType": "rate", "rate": 2, "rateUnits": "second", "allowrate": allowed}),
        )
        .await;
        test.send("d", json!({"payload": 1}));
        test.send("d", json!({"payload": "quick", "rate": "100"}));
        test.send("d", json!({"payload": 2}));
        let all = steps(&mut test, "end", 700, 1).await.concat();
        assert_eq!(all, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rate_can_drop_what_comes_in_between() {
    let properties =
        json!({"pauseType": "rate", "rate": 10, "rateUnits": "second", "drop": true, "outputs": 2});
    let mut test = delay(properties).await;
    for payload in 1..=5 {
        test.send("d", json!({"payload": payload}));
        test.after(ms(40)).await;
    }
    // 0, 120 ms after the first…
    let seen = test.settle().await;
    assert_eq!(got(&seen, "end"), Vec::<Json>::new());
    test.after(ms(200)).await;
    send(&test, 2);
    let seen = test.settle().await;
    assert_eq!(
        (payloads(&seen, "end"), payloads(&seen, "second")),
        (vec![json!(1)], vec![json!(2)])
    );
    assert_eq!(payloads(&seen, "done"), [json!(1), json!(2)]);
    test.send("d", json!({"reset": true}));
    send(&test, 1);
    let seen = test.settle().await;
    assert_eq!(
        payloads(&seen, "end"),
        [json!(1)],
        "the first after a reset passes"
    );
    assert_eq!(shown(&seen), ["blue ring 0"]);
    let mut test = delay(json!({"pauseType": "rate", "rate": 10, "drop": true})).await;
    let mut passed = Vec::new();
    for payload in 1..=6 {
        test.send("d", json!({"payload": payload}));
        passed.extend(payloads(&test.after(ms(60)).await, "end"));
    }
    assert_eq!(passed, [json!(1), json!(3), json!(5)]);
}

#[tokio::test(start_paused = true)]
async fn bursts_pass_up_to_their_number() {
    let properties = json!({"pauseType": "burst", "rate": 3, "nbRateUnits": 2, "rateUnits": "second", "outputs": 2});
    let mut test = TestFlows::run(flows(properties)).await;
    assert_eq!(shown(&test.settle().await), ["green ring "]);
    send(&test, 5);
    let seen = test.settle().await;
    assert_eq!(payloads(&seen, "end"), [json!(1), json!(2), json!(3)]);
    assert_eq!(payloads(&seen, "second"), [json!(4), json!(5)]);
    assert_eq!(shown(&seen), ["red dot ", "red dot "]);
    assert_eq!(got(&seen, "done").len(), 5);
    let seen = test.after(ms(2100)).await;
    assert_eq!(shown(&seen), ["green ring "]);
    send(&test, 4);
    test.send("d", json!({"reset": true}));
    send(&test, 1);
    let seen = test.settle().await;
    assert_eq!(
        payloads(&seen, "end"),
        [json!(1), json!(2), json!(3), json!(1)]
    );
    assert_eq!(shown(&seen), ["red dot ", "green ring "]);
}

#[tokio::test(start_paused = true)]
async fn topics_take_turns() {
    let properties = json!({"pauseType": "queue", "rate": 1, "nbRateUnits": 1, "rateUnits": "second", "outputs": 2});
    let mut test = delay(properties).await;
    for (topic, payload) in [
        (json!("a"), 1),
        (json!("b"), 2),
        (json!("a"), 3),
        (json!(5), 4),
        (json!("5"), 5),
    ] {
        test.send("d", json!({"topic": topic, "payload": payload}));
    }
    test.send("d", json!({"payload": 6}));
    let seen = test.after(ms(600)).await;
    assert_eq!(payloads(&seen, "second"), [json!(1)], "the replaced one");
    assert_eq!(payloads(&seen, "done"), [json!(1)]);
    assert_eq!(shown(&seen), ["blue dot 5"]);
    let all = steps(&mut test, "end", 1000, 6).await;
    assert_eq!(
        all,
        [
            vec![json!(3)],
            vec![json!(2)],
            vec![json!(4)],
            vec![json!(5)],
            vec![json!(6)],
            vec![]
        ]
    );
    test.send("d", json!({"payload": 7}));
    let seen = test.after(ms(1000)).await;
    assert_eq!(
        got(&seen, "end"),
        [json!({"payload": 7, "topic": "_none_"})]
    );
}

#[tokio::test(start_paused = true)]
async fn all_topics_leave_together() {
    let mut test =
        delay(json!({"pauseType": "timed", "rate": 1, "nbRateUnits": 2, "rateUnits": "second"}))
            .await;
    for (topic, payload) in [("a", 1), ("b", 2), ("a", 3)] {
        test.send("d", json!({"topic": topic, "payload": payload}));
    }
    let all = steps(&mut test, "end", 1500, 2).await;
    assert_eq!(all, [vec![], vec![json!(3), json!(2)]]);
    test.send("d", json!({"topic": "a", "payload": 4}));
    test.send("d", json!({"flush": true}));
    let seen = test.settle().await;
    assert_eq!(got(&seen, "end"), [json!({"topic": "a", "payload": 4})]);
    assert_eq!(shown(&seen), ["- - -"]);
    test.send("d", json!({"topic": "a", "payload": 5}));
    test.send("d", json!({"reset": true}));
    let seen = test.after(ms(5000)).await;
    assert_eq!(got(&seen, "end"), Vec::<Json>::new());
    assert_eq!(shown(&seen)[0], "- - reset");
}
