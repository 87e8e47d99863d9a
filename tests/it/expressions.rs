//! JSONata expressions: what npm's jsonata says, and what an expression must not be able to do.

use std::{sync::Arc, time::Duration};

use flowrill::{
    engine::{ConfigError, Failed, LogLevel, Node, NodeContext, RuntimeSettings},
    flow::DeployMode,
    message::{Message, Value},
};
use serde_json::{Value as Json, json};

use crate::support::flows::{TestFlows, logged, node};

/// Evaluates `msg.expression` for `msg.input` with the variables in `msg.bindings`, and sends what comes of it.
struct Probe;

impl Node for Probe {
    fn on_input(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        let source: Arc<str> = msg.get("expression").as_str().unwrap().into();
        let bindings: Vec<(&str, Value)> = match msg.get("bindings").as_object() {
            Some(object) => object
                .iter()
                .map(|(key, value)| (key.as_str(), value.clone()))
                .collect(),
            None => Vec::new(),
        };
        let mut answer = Message::default();
        match ctx.evaluate_expression(&source, msg.get("input"), &bindings) {
            Ok(value) => answer.set("result", value),
            Err(error) => {
                if let Some(code) = &error.code {
                    let found = ctx.check_expression(&source).is_err();
                    assert_eq!(
                        found,
                        code.starts_with('S'),
                        "what does not parse is found beforehand"
                    );
                }
                answer.set("error", error.message);
                answer.set("code", error.code.map_or(Value::Null, Value::from));
            }
        }
        ctx.send_done(answer);
        Ok(())
    }
}

async fn probe() -> TestFlows {
    let settings = RuntimeSettings {
        function_timeout: Duration::from_secs(8),
        ..RuntimeSettings::default()
    };
    let test = TestFlows::with_settings(settings, |registry| {
        registry.add("probe", |_: serde_json::Map<String, Json>, _| {
            Ok::<_, ConfigError>(Probe)
        });
    });
    let flows = json!([
        {"id": "t", "type": "tab", "label": "T", "env": [{"name": "SITE", "type": "num", "value": "7"}]},
        node("p", "probe", json!({"wires": [["end"]]})),
        node("end", "junction", json!({})),
        node("c", "function", json!({"func": "const big = Array.from({length: 50}, (_, n) => ({n})); const input = {big, small: {a: 1}, text: 'x'.repeat(5000), buffer: Buffer.alloc(5000, 7)}; input.round = {big, self: input}; return {expression: msg.payload, input}", "wires": [["p"]]})),
        node("f", "function", json!({"func": "flow.set('n', {a: [1, 2]}); global.set('g', msg.payload); return msg", "wires": [["end"]]})),
    ]);
    test.deploy(flows, DeployMode::Full).await;
    test
}

async fn evaluate(test: &mut TestFlows, expression: &str, input: Json) -> Json {
    test.send("p", json!({"expression": expression, "input": input}));
    test.received("end").await.pop().unwrap()
}

#[tokio::test(start_paused = true)]
async fn expressions_give_what_npms_jsonata_gives() {
    let table: Json = serde_json::from_str(include_str!("data/jsonata.json")).unwrap();
    let mut test = probe().await;
    let mut wrong = Vec::new();
    let cases = table["cases"].as_array().unwrap();
    assert!(cases.len() > 150);
    for case in cases {
        let expression = case["expression"].as_str().unwrap();
        let answer = evaluate(&mut test, expression, table["input"].clone()).await;
        let expected = match case.get("error") {
            Some(error) => json!({"error": error, "code": case["code"]}),
            None => json!({"result": case["result"]}),
        };
        if answer != expected {
            wrong.push(format!("{expression}\n  {answer}\n  {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn values_that_json_lacks_pass_through() {
    let mut test = probe().await;
    let input = json!({
        "buffer": {"$t": "buffer", "v": "AQID"}, "date": {"$t": "date", "v": 5}, "map": {"$t": "map", "v": [[1, 2]]},
        "undefined": {"$t": "undefined"}, "nan": {"$t": "number", "v": "NaN"}, "big": {"$t": "bigint", "v": "12"},
        "error": {"$t": "error", "name": "TypeError", "message": "m"},
    });
    for (expression, expected) in [
        ("buffer", json!({"$t": "buffer", "v": "AQID"})),
        (
            "{\"b\": buffer}",
            json!({"b": {"$t": "buffer", "v": "AQID"}}),
        ),
        ("buffer.length", json!(3)),
        ("date", json!({"$t": "date", "v": 5})),
        ("date.toISOString()", json!("1970-01-01T00:00:00.005Z")),
        ("map", json!({"$t": "map", "v": [[1, 2]]})),
        ("undefined", json!({"$t": "undefined"})),
        ("nan", json!({"$t": "number", "v": "NaN"})),
        ("big", json!({"$t": "bigint", "v": "12"})),
        ("error.message", json!("m")),
        ("error.name", json!("TypeError")),
        ("[buffer, date][1]", json!({"$t": "date", "v": 5})),
    ] {
        let answer = evaluate(&mut test, expression, input.clone()).await;
        assert_eq!(answer["result"], expected, "{expression}: {answer}");
    }
    for (input, expression, expected) in [
        (json!({"$t": "undefined"}), "a", json!({"$t": "undefined"})),
        (json!({"$t": "undefined"}), "1 + 1", json!(2)),
        (json!([1, [2, 3]]), "$", json!([1, [2, 3]])),
        (json!([1, [2, 3]]), "$[1]", json!([2, 3])),
        (json!("text"), "$ & '!'", json!("text!")),
        (json!({"a": {"b": [1, 2]}}), "a", json!({"b": [1, 2]})),
        (json!({"a": 1}), "$.b", json!({"$t": "undefined"})),
    ] {
        let answer = evaluate(&mut test, expression, input).await;
        assert_eq!(answer["result"], expected, "{expression}: {answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn expressions_see_what_their_node_sees() {
    let mut test = probe().await;
    test.send("f", json!({"payload": [1, {"x": 2}]}));
    test.received("end").await;
    for (expression, expected) in [
        ("$flowContext('n').a[1]", json!(2)),
        ("$flowContext('n.a[0]')", json!(1)),
        (
            "$flowContext(['n.a[0]', 'none', 'n.a[1]'])",
            json!([1, {"$t": "undefined"}, 2]),
        ),
        ("$globalContext('g')[1].x", json!(2)),
        ("$globalContext('none')", json!({"$t": "undefined"})),
        ("$env('SITE') + 1", json!(8)),
        ("$env('NR_NODE_ID')", json!("p")),
        ("$env('NONE')", json!("")),
        ("$now()", json!("2024-01-01T00:00:00.000Z")),
        (
            "$moment().utc().format('ddd D.M.YYYY')",
            json!("Mon 1.1.2024"),
        ),
        ("$moment('7.3.2024', 'D.M.YYYY').month()", json!(2)),
    ] {
        let answer = evaluate(&mut test, expression, json!({})).await;
        let result = &answer["result"];
        assert!(
            *result == expected
                || expression == "$now()"
                    && result.as_str().unwrap().starts_with("2024-01-01T00:00:00"),
            "{expression}: {answer}"
        );
    }
    test.send(
        "p",
        json!({"expression": "$a + $b.c", "bindings": {"a": 1, "b": {"c": 2}}}),
    );
    test.send("p", json!({"expression": "$exists($a)"}));
    assert_eq!(
        test.received("end").await,
        [json!({"result": 3}), json!({"result": false})]
    );
}

#[tokio::test(start_paused = true)]
async fn what_an_expression_sets_is_forgotten() {
    let mut test = probe().await;
    for _ in 0..2 {
        let answer = evaluate(
            &mut test,
            "($n := $n + 1; $n := $exists($n) ? $n : 1; $n)",
            json!({}),
        )
        .await;
        assert_eq!(answer["result"], 1);
    }
}

#[tokio::test(start_paused = true)]
async fn recursion_may_be_deep_and_ends_where_it_has_no_end() {
    let mut test = probe().await;
    let sum = "($f := function($n){ $n = 0 ? 0 : $n + $f($n - 1) }; $f(n))";
    for n in [10, 1_500, 20] {
        let answer = evaluate(&mut test, sum, json!({"n": n})).await;
        assert_eq!(answer["result"], n * (n + 1) / 2, "{answer}");
    }
    let tail = "($f := function($n, $s){ $n = 0 ? $s : $f($n - 1, $s + $n) }; $f(n, 0))";
    assert_eq!(
        evaluate(&mut test, tail, json!({"n": 5_000})).await["result"],
        12_502_500
    );
    for endless in [
        "($f := function($n){ 1 + $f($n + 1) }; $f(0))",
        "$map([1..1000000], function($v){ $map([1..1000000], function($w){ {'a': $w} }) })",
        "($f := function($s){ $f($s & $s) }; $f('0123456789'))",
        "($f := function($a){ $append($a, $f($append($a, $a))) }; $f([1..1000]))",
    ] {
        let answer = evaluate(&mut test, endless, json!({})).await;
        let error = answer["error"].as_str().unwrap_or_default();
        assert!(
            error.contains("memory") || error.contains("stopped after"),
            "{endless}: {answer}"
        );
        assert_eq!(
            evaluate(&mut test, "1 + n", json!({"n": 2})).await["result"],
            3
        );
    }
    let nested = format!("{}1{}", "(".repeat(20_000), ")".repeat(20_000));
    let answer = evaluate(&mut test, &nested, json!({})).await;
    assert!(answer["error"].is_string(), "{answer}");
    assert_eq!(evaluate(&mut test, "1 + 1", json!({})).await["result"], 2);
}

#[tokio::test(start_paused = true)]
async fn functions_can_be_the_result() {
    let mut test = probe().await;
    for expression in [
        "function($x){ $x + n }",
        "$sum",
        "/a/",
        "$substring(?, 1)",
        "[$sum, 1]",
        "$$.f",
    ] {
        let answer = evaluate(&mut test, expression, json!({"n": 1})).await;
        assert!(answer.get("error").is_none(), "{expression}: {answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn big_and_deep_messages_are_taken() {
    let mut test = probe().await;
    let text = "x".repeat(40 << 20);
    let answer = evaluate(&mut test, "$length(a) & b", json!({"a": text, "b": "!"})).await;
    assert!(
        answer["result"] == "41943040!" || answer["error"].is_string(),
        "{answer}"
    );
    let mut deep = json!(1);
    for _ in 0..450 {
        deep = json!([deep]);
    }
    let answer = evaluate(&mut test, "$count(a)", json!({"a": deep})).await;
    assert_eq!(answer["result"], 1, "{answer}");
    let many: Vec<Json> = (0..100_000).map(|n| json!({"n": n, "m": "text"})).collect();
    let answer = evaluate(&mut test, "$sum(a.n)", json!({"a": many})).await;
    assert_eq!(answer["result"], 4_999_950_000_u64, "{answer}");
}

#[tokio::test(start_paused = true)]
async fn variables_can_be_expressions() {
    let test = TestFlows::new();
    test.env.set("OUTER", Some("5".into()));
    let flows = json!([
        {"id": "c", "type": "global-config", "env": [{"name": "LIST", "type": "jsonata", "value": "[1..$number($env('OUTER'))]"}]},
        {"id": "t", "type": "tab", "label": "Tab", "env": [
            {"name": "SUM", "type": "jsonata", "value": "$sum($env('LIST'))"},
            {"name": "SAME", "type": "jsonata", "value": "$env('SUM')"},
            {"name": "LATER", "type": "env", "value": "SUM"},
            {"name": "OUTER", "type": "jsonata", "value": "$env('OUTER') & '!' & $env('NR_FLOW_NAME')"},
            {"name": "BAD", "type": "jsonata", "value": "1 +"},
            {"name": "ENDLESS", "type": "jsonata", "value": "($f := function($n){ 1 + $f($n) }; $f(0))"},
            {"name": "DAY", "type": "date", "value": "[a day]"},
        ]},
        {"id": "g", "type": "group", "z": "t", "nodes": ["i"], "env": [{"name": "SUM", "type": "jsonata", "value": "$env('SUM') * 2"}]},
        node("i", "inject", json!({"g": "g", "wires": [["end"]], "props": [
            {"p": "list", "v": "LIST", "vt": "env"}, {"p": "sum", "v": "SUM", "vt": "env"}, {"p": "tab", "v": "$parent.SUM", "vt": "env"},
            {"p": "same", "v": "SAME", "vt": "env"}, {"p": "later", "v": "LATER", "vt": "env"}, {"p": "outer", "v": "OUTER", "vt": "env"},
            {"p": "bad", "v": "BAD", "vt": "env"}, {"p": "endless", "v": "ENDLESS", "vt": "env"}, {"p": "day", "v": "DAY", "vt": "env"}
        ]})),
        node("end", "junction", json!({})),
    ]);
    let mut test = test;
    test.deploy(flows, DeployMode::Full).await;
    let errors = logged(&test.settle().await, LogLevel::Error);
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(
        errors[0].contains("'BAD': Unexpected end of expression"),
        "{errors:?}"
    );
    test.send("i", json!({}));
    assert_eq!(
        test.received("end").await,
        [
            json!({"list": [1, 2, 3, 4, 5], "sum": 30, "tab": 15, "same": "", "later": 15, "outer": "5!Tab", "bad": "", "endless": "", "day": "a day"})
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn large_parts_of_a_message_are_as_good_as_small_ones() {
    let mut test = probe().await;
    for (expression, expected) in [
        ("small.a", json!(1)),
        ("big[3].n", json!(3)),
        ("$sum(big.n)", json!(1225)),
        (
            "$count(big) & small.a & $length(text) & $substring(text, 0, 2)",
            json!("5015000xx"),
        ),
        (
            "$keys($)",
            json!(["big", "small", "text", "buffer", "round"]),
        ),
        ("buffer.length", json!(5000)),
        ("round.self.small.a", json!(1)),
        ("round.self.round.big[1].n", json!(1)),
        ("$count(*)", json!(54)),
        ("{'a': big, 'b': [small, big]}.b[2].n", json!(1)),
        ("$count({'a': big}.a)", json!(50)),
        ("($f := function(){ $$.big[2].n }; $f())", json!(2)),
        ("(big.{'n': n})[1]", json!({"n": 1})),
        ("big[n = 4] ~> |$|{'n': 9}|", json!({"n": 9})),
        ("$count(big[n < 3])", json!(3)),
    ] {
        test.send("c", json!({"payload": expression}));
        let answer = test.received("end").await.pop().unwrap();
        assert_eq!(answer["result"], expected, "{expression}: {answer}");
    }
    for (expression, path, expected) in [
        ("$", "/round/self/$t", json!("ref")),
        ("$", "/big/49/n", json!(49)),
        ("{'m': $$}", "/m/small/a", json!(1)),
        ("[big, 1]", "/49/n", json!(49)),
        ("{'x': big, 'y': big}", "/y/49/n", json!(49)),
        ("round", "/self/big/0/n", json!(0)),
        ("{'t': text}", "/t", json!("x".repeat(5000))),
    ] {
        test.send("c", json!({"payload": expression}));
        let answer = test.received("end").await.pop().unwrap();
        assert_eq!(
            answer["result"].pointer(path),
            Some(&expected),
            "{expression}: {}",
            answer["result"]
        );
    }
}
