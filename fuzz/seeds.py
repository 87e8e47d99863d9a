#!/usr/bin/env python3
"""Makes the seeds of the fuzz targets.

Those of `packets` are what the clients of some of tests/it/broker/exchanges send; the notation stands in
tests/it/broker/notation.rs. Those of `session` are scenes from there, in the bytes from which the crate `arbitrary` makes
targets/session/steps.rs. Those of `filters` are inputs that the fuzzer has found.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SEEDS = ROOT / "fuzz/seeds"
# Of each file, those that send the most packets.
OF_EACH_FILE = 2
TOKEN = re.compile(
    r"""\s*(?:'(?P<text>[^']*)'|"(?P<raw>[^"]*)"|\*(?P<times>\d+)\(|(?P<only5>5\()|(?P<open>[\[{])|(?P<close>[\]})])"""
    r"""|(?P<level>V)|(?P<hex>[0-9a-fA-F]{2}))"""
)


def variable(value):
    out = bytearray()
    while True:
        value, byte = value >> 7, value & 0x7F
        out.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(out)


def packet(text, is_5):
    """The bytes that a line stands for."""
    stack = [(None, bytearray())]
    at = 0
    text = text.rstrip()
    while at < len(text):
        token = TOKEN.match(text, at)
        if not token:
            raise ValueError(f"not understood: {text[at:]}")
        at = token.end()
        out = stack[-1][1]
        if token["text"] is not None:
            content = token["text"].encode()
            out += len(content).to_bytes(2, "big") + content
        elif token["raw"] is not None:
            out += token["raw"].encode()
        elif token["times"]:
            stack.append((int(token["times"]), bytearray()))
        elif token["only5"]:
            stack.append((1 if is_5 else 0, bytearray()))
        elif token["open"]:
            stack.append((token["open"], bytearray()))
        elif token["close"]:
            kind, content = stack.pop()
            out = stack[-1][1]
            if isinstance(kind, int):
                out += content * kind
            elif kind == "[" or is_5:
                out += variable(len(content)) + content
        elif token["level"]:
            out.append(5 if is_5 else 4)
        else:
            out.append(int(token["hex"], 16))
    return bytes(stack[0][1])


def exchanges(path):
    """What is sent in each exchange, as (versions, lines)."""
    found = []
    for line in path.read_text().splitlines():
        line = line.strip()
        if line.startswith("== "):
            found.append((set(), []))
        elif line.startswith(("3.1.1:", "5:")):
            found[-1][0].add(line.split(":")[0])
        elif match := re.match(r"(\w+) (>|connects|subscribes)\s*(.*)", line):
            client, action, rest = match.groups()
            if action == "connects":
                rest = f"10 ['MQTT' V 02 003c {{}} '{client}' ] {rest}"
            elif action == "subscribes":
                rest = f"82 [0001 {{}} {rest}]"
            else:
                rest = rest.removeprefix("> ")
            found[-1][1].append(rest)
    return found


def packets():
    out = SEEDS / "packets"
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted((ROOT / "tests/it/broker/exchanges").glob("*.txt")):
        for label, is_5 in (("3.1.1", False), ("5", True)):
            sent = [lines for versions, lines in exchanges(path) if label in versions]
            sent.sort(key=lambda lines: (-len(lines), lines))
            for number, lines in enumerate(sent[:OF_EACH_FILE], 1):
                content = b"".join(packet(line, is_5) for line in lines)
                (out / f"{path.stem}-{label}-{number}").write_bytes(content)


def variant(index, count):
    return (-(-index * 2**32 // count)).to_bytes(4, "little")


def option(content):
    return bytes([0]) if content is None else bytes([1]) + content


ACTIONS = "connect publish resend release ack subscribe unsubscribe disconnect drop wrong settle".split()
# Where they stand in targets/session/steps.rs.
A, A_B = 0, 1
ALL_OF_A, EVERYTHING, SHARED_A = 2, 3, 8
V311, V5 = 1, 2
NONE, HOUR, NEVER = 0, 1, 2


def step(client, action, content=b"", hasty=False):
    kind = variant(ACTIONS.index(action), len(ACTIONS))
    return bytes([1, client]) + kind + content + bytes([hasty])


def publishing(topic, qos, retain=False, number=0, alias=None):
    head = bytes([topic, qos, retain, number]) + variant(1, 3)
    return head + option(None if alias is None else bytes([alias]))


def connect(client, level=V5, clean=False, expiry=NEVER, receive_maximum=None, will=None, hasty=False):
    most = option(None if receive_maximum is None else bytes([receive_maximum - 1]))
    content = variant(level, 3) + bytes([clean]) + variant(expiry, 3) + most + bytes([0]) + option(None)
    return step(client, "connect", content + option(will) + bytes([0, 0]), hasty)


def publish(client, topic, qos, **more):
    return step(client, "publish", publishing(topic, qos, **more))


def subscribe(client, where, qos, no_local=False, number=None):
    one = bytes([1, where, qos, no_local, 0, 0])
    return step(client, "subscribe", bytes([1]) + one + bytes([0]) + option(number and bytes([number])))


def unsubscribe(client, where):
    return step(client, "unsubscribe", bytes([2, where]))


def ack(client, which=0):
    return step(client, "ack", variant(0, 4) + bytes([which]))


def drop(client):
    return step(client, "drop", bytes([0]))


SETTLE = step(0, "settle")
SCENES = {
    "exactly-once": subscribe(2, A, 2) + publish(3, A, 2) + step(3, "resend") + step(3, "release", bytes([0])) + ack(2) + ack(2),
    "comes-back-with-less": subscribe(2, ALL_OF_A, 1) + publish(3, A, 1) + publish(3, A_B, 1, number=1) + SETTLE + drop(2)
    + connect(2, receive_maximum=1),
    "unsubscribes": subscribe(2, A, 1) + SETTLE + unsubscribe(2, A) + SETTLE + publish(3, A, 1),
    "its-own": subscribe(2, A, 1, no_local=True) + publish(2, A, 1),
    "lower": subscribe(2, A, 0) + publish(3, A, 1) + subscribe(1, A, 1) + publish(3, A, 2) + step(3, "release", bytes([0])),
    "waits": subscribe(2, A, 1) + b"".join(publish(3, A, 1, number=n) + SETTLE for n in range(6)) + drop(2) + SETTLE,
    "ends-with-its-connection": connect(2, expiry=NONE) + subscribe(2, A, 1) + SETTLE + connect(2),
    "retained": publish(3, A, 1, retain=True) + SETTLE + subscribe(2, EVERYTHING, 1, number=7) + SETTLE + ack(2),
    "shared": subscribe(1, SHARED_A, 1) + subscribe(2, SHARED_A, 1) + b"".join(publish(3, A, 1, number=n) for n in range(4))
    + step(2, "disconnect", bytes([0]) + option(variant(NONE, 3))),
    "will": subscribe(1, EVERYTHING, 1) + connect(2, V311, will=publishing(A, 1)) + drop(2) + SETTLE,
    "alias": subscribe(1, A, 0) + connect(2) + publish(2, A, 0, alias=1) + publish(2, A, 1, alias=1),
    "taken-over": subscribe(2, A, 2) + publish(3, A, 1) + connect(2, hasty=True) + publish(3, A, 1, number=1) + connect(2),
}


def session():
    out = SEEDS / "session"
    out.mkdir(parents=True, exist_ok=True)
    for name, steps in SCENES.items():
        (out / name).write_bytes(steps)


packets()
session()
