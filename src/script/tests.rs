//! What the parser finds in code.

use super::{
    analysis::{Uses, analyse, is_blank},
    reach::{Part, Reach},
};
use crate::message::Key;

#[test]
fn code_is_known_by_what_it_uses() {
    // code; awaits, says done itself, needs its message's node, needs its own globals
    let cases = [
        ("return msg", "----"),
        ("msg.payload = await x(); return msg", "a---"),
        ("for await (const x of y) {}", "a---"),
        ("const f = async () => { await 1 }; f()", "----"),
        ("// await, node.done()\nreturn 'await node.done()'", "----"),
        ("node.done()", "-dn-"),
        ("setTimeout(() => node.done(), 1)", "-dn-"),
        ("node.send(msg)", "--n-"),
        ("node.warn(1); node.status({})", "----"),
        ("later(node)", "--n-"),
        ("const {send} = node; send(msg)", "--n-"),
        ("count = 1", "---o"),
        ("let count = 1; count = 2", "----"),
        ("total += 1", "---o"),
        ("for (i = 0; i < 3; i++) {}", "---o"),
        ("msg = {payload: 1}; return msg", "----"),
        ("this.x = 1", "---o"),
        ("function A() { this.x = 1 } new A()", "----"),
        ("globalThis.x = 1", "---o"),
        ("String.prototype.shout = f", "---o"),
        ("Array.prototype.slice.call(msg)", "----"),
        ("extend(Array.prototype)", "---o"),
        ("Array.prototype['last'] = f", "---o"),
        ("String.prototype.count++", "---o"),
        ("Object.assign(Math, {half: 1})", "---o"),
        ("Object.assign(msg, {half: 1})", "----"),
        ("Math.half = 1", "---o"),
        ("msg.payload.x = 1; flow.y = 2", "----"),
        ("eval('x = 1')", "--no"),
        ("let x = ;", "--no"),
    ];
    for (code, expected) in cases {
        let Uses {
            awaits,
            calls_done,
            node_of_message,
            own_globals,
            ..
        } = analyse(code);
        let found: String = [
            (awaits, 'a'),
            (calls_done, 'd'),
            (node_of_message, 'n'),
            (own_globals, 'o'),
        ]
        .iter()
        .map(|(is, letter)| if *is { *letter } else { '-' })
        .collect();
        assert_eq!(found, expected, "{code}");
    }
}

#[test]
fn untouched_sections_are_blank() {
    for (code, blank) in [
        ("", true),
        ("  \n", true),
        ("// Code added here will be run once\n", true),
        ("/* a */ // b", true),
        ("x()", false),
        ("'use strict'", false),
        ("}", false),
    ] {
        assert_eq!(is_blank(code), blank, "{code}");
    }
}

#[test]
fn what_code_reaches_of_a_message() {
    fn told(reach: &Reach) -> String {
        let part = |(key, part): (&Key, &Part)| match part {
            Part::Whole => key.to_string(),
            Part::Object(inner) => format!("{}({})", &**key, told(inner)),
        };
        reach.parts.iter().map(part).collect::<Vec<_>>().join(" ")
    }
    let cases = [
        ("return msg", Some("")),
        ("return", Some("")),
        ("return [msg, [msg, null]]", Some("")),
        ("return x ? msg : [null, (msg)]", Some("")),
        ("msg.payload.a.b = 1; return msg", Some("payload(a(b))")),
        ("msg.payload.a += msg.payload.b", Some("payload(a b)")),
        ("msg.payload.a = 1; f(msg.payload)", Some("payload")),
        ("msg['payload']['a b'] = 1", Some("payload(a b)")),
        ("msg.payload[0].a = 1", Some("payload")),
        ("msg.payload[msg.topic] = 1", Some("payload topic")),
        (
            "msg.payload.list.push(msg.topic)",
            Some("payload(list) topic"),
        ),
        ("msg?.payload?.a", Some("payload(a)")),
        ("(msg.payload).a", Some("payload")),
        ("msg.payload?.trim()", Some("payload")),
        ("delete msg.error", Some("error")),
        ("delete msg.a.b; msg.c = 1", Some("a(b) c")),
        ("[msg.a, {x: msg.b}] = y", Some("a b")),
        ("msg.n++; for (msg.i of y) {}", Some("i n")),
        ("flow.set('x', msg.payload); return msg", Some("payload")),
        ("delete msg.a; msg.a = 1", None),
        ("delete msg.a; delete msg.a.b", None),
        ("if (msg.a.b) delete msg.a", None),
        ("return {msg}", None),
        ("return [...msg]", None),
        ("return f(msg)", None),
        ("return msg || null", None),
        ("Object.keys(msg)", None),
        ("msg[name]", None),
        ("msg[0] = 1", None),
        ("msg.payload['7'] = 1", None),
        ("msg.hasOwnProperty('x')", None),
        ("msg.payload.hasOwnProperty", None),
        ("msg.payload.constructor.name", None),
        ("msg._msgid = 1", None),
        ("msg.f()", None),
        ("msg.f``", None),
        ("msg = {}; return msg", None),
        ("var msg; return msg", None),
        (
            "return (function () { return arguments[0] })(msg.a) || arguments[0]",
            None,
        ),
        ("const m = msg", None),
        (
            "const {payload, topic: t = 1} = msg; return msg",
            Some("payload topic"),
        ),
        ("const {payload: {a}} = msg", Some("payload")),
        ("const {payload, ...rest} = msg", None),
        ("const {[name]: x} = msg", None),
        ("let {toString} = msg", None),
        ("({payload: x} = msg)", None),
        ("y.map(x => x + msg.payload)", None),
        ("function f() { return msg }", None),
        ("y.map(msg => msg.x); return msg", None),
        ("node.send(msg)", None),
        ("await 1; return msg", None),
        ("'payload' in msg", None),
        ("`${msg}`", None),
        ("x = 1; return msg", None),
    ];
    for (code, expected) in cases {
        let reach = analyse(code).reach;
        let reach = reach.as_deref().map(told);
        assert_eq!(reach.as_deref(), expected, "{code}");
    }
}
