//! What the parser finds in code.

use super::analysis::{Uses, analyse, is_blank};

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
