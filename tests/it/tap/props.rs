//! What a node shows right after a deploy: what it works with, under Node-RED's names, where its record says nothing.

use serde_json::{Value as Json, json};

use super::{Tap, helper, node, undefined};

/// By type: its configuration, and what has to be shown.
fn minimal() -> Vec<(&'static str, Json, Json)> {
    vec![
        ("batch", json!({}), json!({})),
        ("catch", json!({}), json!({"scope": undefined()})),
        ("complete", json!({}), json!({})),
        ("comment", json!({}), json!({})),
        ("unknown", json!({}), json!({})),
        ("global-config", json!({}), json!({})),
        ("link in", json!({}), json!({})),
        ("link out", json!({}), json!({})),
        ("sort", json!({}), json!({})),
        ("status", json!({}), json!({"scope": undefined()})),
        ("xml", json!({}), json!({})),
        ("yaml", json!({}), json!({})),
        (
            "html",
            json!({}),
            json!({"property": "payload", "outproperty": "payload", "ret": "html", "as": "single"}),
        ),
        (
            "html",
            json!({"property": "a", "outproperty": "b"}),
            json!({"property": "a", "outproperty": "b"}),
        ),
        (
            "file",
            json!({"filename": "x", "appendNewline": true, "overwriteFile": true}),
            json!({"filename": "x", "appendNewline": true, "overwriteFile": "true"}),
        ),
        ("file in", json!({}), json!({"sendError": true})),
        (
            "change",
            json!({"rules": [{"t": "set", "p": "a", "to": "5", "tot": "num"}, {"t": "change", "p": "b", "from": "x", "to": "y"}]}),
            json!({"rules": [
                {"t": "set", "p": "a", "to": 5, "tot": "num", "pt": "msg", "fromt": "str"},
                {"t": "change", "p": "b", "from": "x", "to": "y", "pt": "msg", "tot": "str", "fromt": "str", "fromRE": {"$t": "regexp", "v": "x", "flags": "g"}}
            ]}),
        ),
        (
            "csv",
            json!({"temp": "a,b"}),
            json!({"sep": ",", "quo": "\"", "ret": "\n", "multi": "one", "hdrin": false}),
        ),
        (
            "debug",
            json!({}),
            json!({"name": undefined(), "complete": "payload", "active": true, "tosidebar": true, "statusVal": "payload"}),
        ),
        (
            "debug",
            json!({"complete": "true"}),
            json!({"complete": "true", "statusVal": "true"}),
        ),
        (
            "debug",
            json!({"complete": "$x", "targetType": "jsonata"}),
            json!({"complete": null}),
        ),
        (
            "delay",
            json!({"timeout": "5", "rate": "1", "nbRateUnits": "1"}),
            json!({"name": undefined(), "timeout": 5000, "rate": 1000, "outputs": undefined()}),
        ),
        (
            "delay",
            json!({"timeout": "2", "timeoutUnits": "minutes", "rate": "2", "nbRateUnits": "4", "rateUnits": "second"}),
            json!({"timeout": 120_000, "rate": 2000}),
        ),
        (
            "exec",
            json!({"command": "ls", "timer": "2"}),
            json!({"cmd": "ls", "addpay": "payload", "append": "", "timer": 2000, "oldrc": "false"}),
        ),
        (
            "function",
            json!({"name": ""}),
            json!({"name": "", "outputs": undefined(), "libs": []}),
        ),
        (
            "function",
            json!({"outputs": 3}),
            json!({"name": undefined(), "outputs": 3}),
        ),
        (
            "inject",
            json!({"payload": "x", "payloadType": "str", "topic": "t"}),
            json!({"onceDelay": 100, "props": [{"p": "payload", "v": "x", "vt": "str"}, {"p": "topic", "v": "t", "vt": "str"}]}),
        ),
        (
            "inject",
            json!({"payload": "x", "payloadType": "str", "onceDelay": "2", "props": [{"p": "payload"}, {"p": "topic", "vt": "str"}, {"p": "a", "v": "1", "vt": "num"}]}),
            json!({"onceDelay": 2000, "props": [{"p": "payload", "v": "x", "vt": "str"}, {"p": "topic", "v": undefined(), "vt": "str"}, {"p": "a", "v": "1", "vt": "num"}]}),
        ),
        (
            "join",
            json!({}),
            json!({"build": "array", "count": 0, "timer": 0, "mode": "auto", "property": "payload", "propertyType": "msg", "key": "topic", "accumulate": "false"}),
        ),
        (
            "join",
            json!({"mode": "custom", "accumulate": true, "count": "3", "timeout": "1.5"}),
            json!({"count": 3, "timer": 1500, "accumulate": true}),
        ),
        (
            "mqtt in",
            json!({"broker": "b"}),
            json!({"broker": "b", "datatype": "utf8", "topic": undefined(), "qos": 2, "isDynamic": false, "inputs": undefined()}),
        ),
        (
            "mqtt in",
            json!({"topic": "t", "qos": "1", "inputs": 1}),
            json!({"topic": "t", "qos": 1, "isDynamic": true, "inputs": 1}),
        ),
        (
            "mqtt out",
            json!({"broker": "b"}),
            json!({"broker": "b", "topic": undefined()}),
        ),
        (
            "range",
            json!({}),
            json!({"round": false, "property": "payload"}),
        ),
        (
            "rbe",
            json!({}),
            json!({"func": "rbe", "gap": "0", "property": "payload", "inout": "out", "septopics": true}),
        ),
        (
            "split",
            json!({}),
            json!({"splt": "\n", "spltType": "str", "arraySplt": 1, "property": "payload"}),
        ),
        (
            "split",
            json!({"splt": "[1,2]", "spltType": "bin"}),
            json!({"splt": {"$t": "buffer", "v": "AQI="}}),
        ),
        (
            "switch",
            json!({}),
            json!({"rules": [], "checkall": "true", "propertyType": "msg"}),
        ),
        (
            "template",
            json!({}),
            json!({"name": undefined(), "field": "payload", "fieldType": "msg", "syntax": "mustache", "outputFormat": "str"}),
        ),
        (
            "template",
            json!({"output": "json", "template": "x"}),
            json!({"outputFormat": "json", "template": "x"}),
        ),
        (
            "trigger",
            json!({}),
            json!({"op1": "1", "op1type": "str", "op2": "0", "op2type": "str", "duration": 250, "extend": "false", "units": "ms", "reset": "", "loop": false}),
        ),
        (
            "trigger",
            json!({"duration": "3", "units": "min", "op1": "true", "op1type": "val"}),
            json!({"duration": 180_000, "op1": "true", "op1type": "bool"}),
        ),
    ]
}

#[tokio::test]
async fn what_the_record_leaves_out_is_what_the_runtime_takes() {
    let mut tap = Tap::start().await;
    let mut wrong = Vec::new();
    for (type_name, config, expected) in minimal() {
        tap.deploy(json!([
            node("n1", type_name, json!([["n2"]]), config.clone()),
            helper("n2")
        ]))
        .await;
        let props = tap.props("n1").await;
        let mut wanted = json!({"id": "n1", "type": type_name});
        wanted
            .as_object_mut()
            .unwrap()
            .extend(expected.as_object().cloned().unwrap());
        for (name, value) in wanted.as_object().unwrap() {
            if props.get(name) != Some(value) {
                wrong.push(format!(
                    "{name} of {type_name} with {config}: {:?}",
                    props.get(name)
                ));
            }
        }
        let is_of_no_tab = props.get("z").is_none() && props.get("g").is_none();
        assert!(
            is_of_no_tab && props.get("credentials").is_none(),
            "{props}"
        );
    }
    assert_eq!(wrong, [] as [&str; 0]);
}

#[tokio::test]
async fn a_name_is_shown_where_one_is_given() {
    let mut tap = Tap::start().await;
    let mut types: Vec<&str> = minimal()
        .into_iter()
        .map(|(type_name, ..)| type_name)
        .collect();
    types.dedup();
    for type_name in types {
        let named = |name: Option<&str>| {
            let mut tested = node("n1", type_name, json!([["n2"]]), json!({"z": "f"}));
            if let Some(name) = name {
                tested["name"] = name.into();
            }
            json!([{"id": "f", "type": "tab"}, tested, helper("n2")])
        };
        // Those whose constructor sets it once more have it whatever it is.
        let always = matches!(type_name, "debug" | "delay" | "function" | "template");
        let none = always.then(undefined);
        let empty = always.then(|| json!(""));
        for (name, expected) in [
            (Some("A name"), Some(json!("A name"))),
            (Some(""), empty),
            (None, none),
        ] {
            tap.deploy(named(name)).await;
            let props = tap.props("n1").await;
            assert_eq!(
                props.get("name"),
                expected.as_ref(),
                "{type_name} named {name:?}"
            );
            assert_eq!(props["z"], "f");
        }
    }
}

#[tokio::test]
async fn a_broker_node_shows_how_it_connects() {
    let mut tap = Tap::start().await;
    for (config, expected) in [
        (
            json!({"broker": "localhost", "port": 1883}),
            json!({"broker": "localhost", "port": 1883, "brokerurl": "mqtt://localhost:1883", "cleansession": true, "keepalive": 60}),
        ),
        (
            json!({"broker": ""}),
            json!({"brokerurl": "mqtt://localhost:1883"}),
        ),
        (
            json!({"broker": "::1", "port": "1884"}),
            json!({"brokerurl": "mqtt://[::1]:1884"}),
        ),
        (
            json!({"broker": "example.com", "usetls": true, "port": "8883"}),
            json!({"brokerurl": "mqtts://example.com:8883"}),
        ),
        (
            json!({"broker": "ws://example.com/mqtt"}),
            json!({"brokerurl": "ws://example.com/mqtt"}),
        ),
        (
            json!({"birthTopic": "b", "birthPayload": "here", "birthQos": "1", "birthRetain": "true"}),
            json!({"birthMessage": {"topic": "b", "payload": "here", "qos": 1, "retain": true}}),
        ),
        (
            json!({"closeTopic": "c"}),
            json!({"closeMessage": {"topic": "c", "payload": "", "qos": 0, "retain": false}}),
        ),
        (json!({"keepalive": "30"}), json!({"keepalive": 30})),
    ] {
        let mut broker = json!({"id": "b", "type": "mqtt-broker", "autoConnect": false});
        broker
            .as_object_mut()
            .unwrap()
            .extend(config.as_object().cloned().unwrap());
        tap.deploy(json!([broker])).await;
        let props = tap.props("b").await;
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&props[name], value, "{name} with {config}: {props}");
        }
        let state =
            ["autoConnect", "autoUnsubscribe", "connected", "connecting"].map(|name| &props[name]);
        assert_eq!(json!(state), json!([false, true, false, false]), "{config}");
        let options = &props["options"];
        assert!(
            options["clientId"].as_str().unwrap().starts_with("nodered"),
            "{options}"
        );
        assert_eq!(
            (&options["clean"], &options["reconnectPeriod"]),
            (&json!(true), &json!(5000))
        );
        assert!(options["keepalive"].is_number(), "{options}");
        assert_eq!(
            (options.get("protocolVersion"), options.get("properties")),
            (None, None)
        );
    }
    let v5 = json!({
        "id": "b", "type": "mqtt-broker", "autoConnect": false, "broker": "localhost", "protocolVersion": "5", "clientid": "mine",
        "cleansession": false, "sessionExpiry": "60"
    });
    tap.deploy(json!([v5])).await;
    let options = tap.props("b").await["options"].clone();
    assert_eq!(
        json!([
            options["clientId"],
            options["clean"],
            options["protocolVersion"],
            options["properties"]["sessionExpiryInterval"]
        ]),
        json!(["mine", false, 5, 60])
    );
}
