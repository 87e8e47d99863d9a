//! exec: real commands in real time. What they write, how they end, and that nothing of them is left behind.
#![cfg(unix)]

use std::{path::Path, time::Duration};

use flowrill::{
    engine::{LogLevel, RuntimeSettings},
    flow::DeployMode,
    message::to_wire,
    services::Services,
};
use serde_json::{Value as Json, json};

use crate::support::flows::{Seen, TestFlows, got, logged, node};

async fn exec_with(properties: Json, settings: RuntimeSettings) -> TestFlows {
    let mut tested = node("x", "exec", properties);
    tested["wires"] = json!([["out"], ["err"], ["rc"]]);
    let test = TestFlows::with_services(&Services::default(), settings);
    let flows = json!([
        tested,
        node("out", "junction", json!({})),
        node("err", "junction", json!({})),
        node("rc", "junction", json!({})),
        node(
            "ended",
            "complete",
            json!({"scope": ["x"], "wires": [["done"]]})
        ),
        node("done", "junction", json!({})),
        node("caught", "catch", json!({"wires": [["error"]]})),
        node("error", "junction", json!({})),
    ]);
    test.deploy(flows, DeployMode::Full).await;
    test
}

async fn exec(properties: Json) -> TestFlows {
    exec_with(properties, RuntimeSettings::default()).await
}

/// Everything that happens until it is enough.
async fn until(test: &mut TestFlows, enough: impl Fn(&[Seen]) -> bool) -> Vec<Seen> {
    let mut seen = Vec::new();
    for _ in 0..6000 {
        seen.extend(test.after(Duration::from_millis(5)).await);
        if enough(&seen) {
            return seen;
        }
    }
    panic!("it did not come to that: {seen:?}")
}

/// Runs the command for one message to its end.
async fn run(properties: Json, msg: Json) -> Vec<Seen> {
    let mut test = exec(properties).await;
    test.send("x", msg);
    until(&mut test, |seen| !got(seen, "done").is_empty()).await
}

fn shown(seen: &[Seen]) -> Vec<String> {
    let statuses = seen.iter().filter_map(|seen| match seen {
        Seen::Status(id, status) if id == "x" => Some(
            ["fill", "shape", "text"]
                .map(|part| status[part].as_str().unwrap_or("-"))
                .join(" "),
        ),
        _ => None,
    });
    statuses.collect()
}

/// As [`shown`], without the first: the process' number.
fn shown_at_end(seen: &[Seen]) -> Vec<String> {
    let all = shown(seen);
    assert!(all[0].starts_with("blue dot pid:"), "{all:?}");
    all[1..].to_vec()
}

#[tokio::test]
async fn a_command_runs_to_its_end() {
    let seen = run(
        json!({"command": "echo out; echo err >&2"}),
        json!({"topic": "t"}),
    )
    .await;
    let rc = json!({"code": 0});
    assert_eq!(
        got(&seen, "out"),
        [json!({"topic": "t", "payload": "out\n", "rc": rc})]
    );
    assert_eq!(
        got(&seen, "err"),
        [json!({"topic": "t", "payload": "err\n", "rc": rc})]
    );
    assert_eq!(got(&seen, "rc"), [json!({"topic": "t", "payload": rc})]);
    assert_eq!(shown_at_end(&seen), ["- - -"]);
    assert_eq!(logged(&seen, LogLevel::Debug), ["echo out; echo err >&2"]);
}

#[tokio::test]
async fn a_command_fails() {
    let seen = run(
        json!({"command": "echo no >&2; exit 7", "oldrc": true}),
        json!({}),
    )
    .await;
    let rc = json!({"code": 7, "message": "Command failed: echo no >&2; exit 7\nno\n"});
    assert_eq!(got(&seen, "out"), [json!({"payload": "", "rc": rc})]);
    assert_eq!(got(&seen, "err"), [json!({"payload": "no\n", "rc": rc})]);
    assert_eq!(got(&seen, "rc"), [json!({"payload": rc})]);
    assert_eq!(shown_at_end(&seen), ["- - -", "red dot error:7"]);
    assert_eq!(
        logged(&seen, LogLevel::Debug)[1],
        "error:Error: Command failed: echo no >&2; exit 7\nno\n"
    );
    let seen = run(json!({"command": "true", "oldrc": true}), json!({})).await;
    assert_eq!(got(&seen, "out"), [json!({"payload": ""})]);
    assert_eq!(
        got(&seen, "rc"),
        Vec::<Json>::new(),
        "the old style is silent when all is well"
    );
    assert_eq!(shown_at_end(&seen), ["- - -", "- - -"]);
}

#[tokio::test]
async fn the_command_line_is_put_together() {
    for (properties, line) in [
        (json!({"command": " echo "}), "and more"),
        (
            json!({"command": "echo", "addpay": true, "append": " -x "}),
            "and more -x",
        ),
        (
            json!({"command": "echo", "addpay": "payload", "append": "-x"}),
            "and more -x",
        ),
        (
            json!({"command": "echo", "addpay": "topic.name", "append": "-x"}),
            "T -x",
        ),
        (
            json!({"command": "echo", "addpay": "nothing", "append": "-x"}),
            "-x",
        ),
        (json!({"command": "echo", "addpay": "list"}), "1,2"),
        (json!({"command": "echo", "addpay": "bytes"}), "abc"),
        (
            json!({"command": "echo a", "addpay": false, "append": "b"}),
            "a b",
        ),
        (json!({"command": "echo a", "addpay": ""}), "a"),
        (json!({"addpay": "whole"}), "from the message"),
    ] {
        let msg = json!({
            "payload": "and more", "topic": {"name": "T"}, "list": [1, 2], "bytes": {"$t": "buffer", "v": "YWJj"},
            "whole": "echo from the message",
        });
        for spawn in ["false", "true"] {
            let mut properties = properties.clone();
            properties["useSpawn"] = spawn.into();
            let seen = run(properties.clone(), msg.clone()).await;
            assert_eq!(
                got(&seen, "out")[0]["payload"],
                format!("{line}\n"),
                "{properties}"
            );
        }
    }
}

#[tokio::test]
async fn output_is_text_or_bytes() {
    for (octal, expected) in [
        ("\\303\\244\\t\\n", json!("ä\t\n")),
        ("\\377\\376", json!({"$t": "buffer", "v": "//4="})),
        ("\\033[1m", json!({"$t": "buffer", "v": "G1sxbQ=="})),
        ("", json!("")),
    ] {
        let seen = run(json!({"command": format!("printf '{octal}'")}), json!({})).await;
        assert_eq!(got(&seen, "out")[0]["payload"], expected, "{octal}");
    }
    let command = json!({"command": "printf \\377", "useSpawn": "true"});
    assert_eq!(
        got(&run(command, json!({})).await, "out")[0]["payload"],
        json!({"$t": "buffer", "v": "/w=="})
    );
}

#[tokio::test]
async fn output_comes_as_it_is_written() {
    let mut test = exec(json!({"command": "sh -c \"echo one; echo two >&2; sleep 0.3; echo three; exit 4\"", "addpay": "", "useSpawn": "true"})).await;
    test.send("x", json!({"topic": "t"}));
    until(&mut test, |seen| got(seen, "out").len() == 1).await;
    let seen = until(&mut test, |seen| !got(seen, "done").is_empty()).await;
    assert_eq!(
        got(&seen, "out"),
        [json!({"topic": "t", "payload": "three\n"})]
    );
    assert_eq!(
        got(&seen, "rc"),
        [json!({"topic": "t", "payload": {"code": 4}})]
    );
    assert_eq!(shown(&seen), ["yellow dot rc:4"]);
    let seen = run(
        json!({"command": "true", "addpay": "", "useSpawn": "true", "oldrc": true}),
        json!({}),
    )
    .await;
    assert_eq!(got(&seen, "rc"), [json!({"payload": 0})]);
    assert_eq!(shown_at_end(&seen), ["- - -", "yellow dot rc:0"]);
    let seen = run(
        json!({"command": "echo \"a  b\" c", "addpay": "", "useSpawn": "true"}),
        json!({}),
    )
    .await;
    assert_eq!(logged(&seen, LogLevel::Debug), ["echo [a  b,c]"]);
}

#[tokio::test]
async fn what_cannot_be_started() {
    for (program, code) in [("no-such-program", -2), ("/etc/passwd", -13)] {
        let seen = run(
            json!({"command": program, "useSpawn": "true"}),
            json!({"payload": "x"}),
        )
        .await;
        assert_eq!(got(&seen, "rc"), [json!({"payload": {"code": code}})]);
        assert_eq!(
            shown(&seen),
            [
                "blue dot pid:undefined".to_owned(),
                format!("red dot rc:{code}")
            ]
        );
    }
    let seen = run(json!({"command": "no-such-program"}), json!({})).await;
    assert_eq!(
        got(&seen, "rc")[0]["payload"]["code"],
        127,
        "the shell tells"
    );
    for (properties, msg) in [
        (json!({}), json!({})),
        (json!({"useSpawn": "true"}), json!({"payload": "  "})),
        (json!({"command": "echo"}), json!({"payload": "a\u{0}b"})),
        (json!({"command": "echo", "addpay": "a.b"}), json!({})),
        (json!({"command": "echo", "addpay": "a..b"}), json!({})),
    ] {
        let mut test = exec(properties.clone()).await;
        test.send("x", msg);
        let seen = until(&mut test, |seen| !got(seen, "error").is_empty()).await;
        assert_eq!(shown(&seen), Vec::<String>::new(), "{properties}");
    }
}

#[tokio::test]
async fn too_much_output_ends_the_command() {
    let mut settings = RuntimeSettings::default();
    settings
        .others
        .insert("execMaxBufferSize".into(), 10.into());
    for (command, stream, out) in [
        ("yes", "stdout", "y\ny\ny\ny\ny\n"),
        ("yes >&2", "stderr", ""),
    ] {
        let mut test = exec_with(json!({"command": command}), settings.clone()).await;
        test.send("x", json!({}));
        let seen = until(&mut test, |seen| !got(seen, "done").is_empty()).await;
        assert_eq!(got(&seen, "out")[0]["payload"], out);
        let rc = &got(&seen, "rc")[0]["payload"];
        assert_eq!(rc["code"], "ERR_CHILD_PROCESS_STDIO_MAXBUFFER");
        assert_eq!(rc["message"], format!("{stream} maxBuffer length exceeded"));
    }
    let big = run(
        json!({"command": "head -c 9000000 /dev/zero | tr '\\0' x"}),
        json!({}),
    )
    .await;
    assert_eq!(
        got(&big, "out")[0]["payload"].as_str().unwrap().len(),
        9_000_000
    );
}

#[tokio::test]
async fn a_command_is_killed_by_a_message() {
    for (spawn, kill, signal) in [
        ("false", json!(""), "SIGTERM"),
        ("true", json!(true), "SIGTERM"),
        ("false", json!("sigint"), "SIGINT"),
        ("true", json!("SIGKILL"), "SIGKILL"),
        ("true", json!("nonsense"), "SIGTERM"),
    ] {
        let mut test =
            exec(json!({"command": "sleep 1000", "addpay": "", "useSpawn": spawn})).await;
        test.send("x", json!({}));
        test.send("x", json!({"kill": kill}));
        let seen = until(&mut test, |seen| got(seen, "done").len() == 2).await;
        let rc = &got(&seen, "rc")[0]["payload"];
        assert_eq!(
            (&rc["code"], &rc["signal"]),
            (&Json::Null, &json!(signal)),
            "{kill}"
        );
        let end = shown_at_end(&seen);
        assert_eq!(
            (end[0].as_str(), end.last().unwrap().as_str()),
            ("red dot killed", "red dot killed"),
            "{end:?}"
        );
    }
}

#[tokio::test]
async fn the_right_command_is_killed() {
    let mut test = exec(json!({"command": "sleep", "useSpawn": "true"})).await;
    test.send("x", json!({"payload": "1000"}));
    test.send("x", json!({"payload": "2000"}));
    let seen = until(&mut test, |seen| shown(seen).len() == 2).await;
    let id = shown(&seen)[0].rsplit(':').next().unwrap().to_owned();
    test.send("x", json!({"kill": "SIGTERM"}));
    let seen = until(&mut test, |seen| got(seen, "done").len() == 1).await;
    assert_eq!(
        shown(&seen),
        Vec::<String>::new(),
        "which of the two is not said"
    );
    test.send("x", json!({"kill": "SIGNONE", "pid": id}));
    until(&mut test, |seen| got(seen, "error").len() == 1).await;
    test.send("x", json!({"kill": 1, "pid": 1}));
    test.send("x", json!({"kill": 1, "pid": id, "n": 1}));
    let seen = until(&mut test, |seen| got(seen, "done").len() == 3).await;
    assert_eq!(got(&seen, "rc").len(), 1);
    test.send("x", json!({"kill": 1}));
    until(&mut test, |seen| got(seen, "rc").len() == 1).await;
}

#[tokio::test]
async fn a_command_ends_after_its_time() {
    for spawn in ["true", "false"] {
        let seen = run(
            json!({"command": "sleep 1000", "addpay": "", "timer": "0.1", "useSpawn": spawn}),
            json!({}),
        )
        .await;
        assert_eq!(got(&seen, "rc")[0]["payload"]["signal"], "SIGTERM");
        assert_eq!(shown_at_end(&seen).last().unwrap(), "red dot killed");
    }
}

#[tokio::test]
async fn nothing_is_left_behind_when_the_node_stops() {
    for command in [
        "sh -c \"sleep 1000 & echo $!; wait\"",
        "sh -c \"trap '' TERM; sleep 1000 & echo $!; wait\"",
    ] {
        let mut test = exec(json!({"command": command, "addpay": "", "useSpawn": "true"})).await;
        test.send("x", json!({}));
        let seen = until(&mut test, |seen| got(seen, "out").len() == 1).await;
        let id = got(&seen, "out")[0]["payload"]
            .as_str()
            .unwrap()
            .trim()
            .to_owned();
        let process = Path::new("/proc").join(&id);
        assert!(process.exists());
        test.deploy(
            json!([node("out", "junction", json!({}))]),
            DeployMode::Full,
        )
        .await;
        let gone = || {
            !process.exists()
                || std::fs::read_to_string(process.join("stat"))
                    .is_ok_and(|stat| stat.contains(") Z "))
        };
        until(&mut test, |_| gone()).await;
    }
}

#[tokio::test]
async fn what_the_node_shows_of_itself() {
    for (properties, expected) in [
        (
            json!({"name": "n"}),
            json!({"name": "n", "cmd": "", "addpay": "payload", "append": "", "timer": 0, "oldrc": "false"}),
        ),
        (
            json!({"command": " ls ", "addpay": false, "append": " -l", "oldrc": true, "timer": "2"}),
            json!({"cmd": "ls", "addpay": false, "append": "-l", "oldrc": "true", "timer": 2000}),
        ),
        (
            json!({"addpay": ""}),
            json!({"addpay": "", "spawnOpt": {"windowsHide": false}}),
        ),
        (
            json!({"addpay": true, "winHide": true}),
            json!({"addpay": "payload", "spawnOpt": {"windowsHide": true}}),
        ),
    ] {
        let test = exec(properties.clone()).await;
        let props = test.engine.props("x").await.unwrap();
        for (key, value) in expected.as_object().unwrap() {
            let found = to_wire(props.get(key).unwrap());
            let equal = found == *value || (found.is_number() && found.as_f64() == value.as_f64());
            assert!(equal, "{key} of {properties}: {found}");
        }
        let options = to_wire(props.get("execOpt").unwrap());
        assert_eq!(
            (&options["encoding"], options["maxBuffer"].as_f64()),
            (&json!("binary"), Some(10_000_000.0))
        );
    }
}
