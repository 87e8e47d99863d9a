#!/usr/bin/env python3
"""Makes fuzz/seeds/packets of tests/it/broker/exchanges: what the clients of some exchanges send.

The notation stands in tests/it/broker/notation.rs. The seeds of the other targets are inputs that the fuzzer has found.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "fuzz/seeds/packets"
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


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for path in sorted((ROOT / "tests/it/broker/exchanges").glob("*.txt")):
        for label, is_5 in (("3.1.1", False), ("5", True)):
            sent = [lines for versions, lines in exchanges(path) if label in versions]
            sent.sort(key=lambda lines: (-len(lines), lines))
            for number, lines in enumerate(sent[:OF_EACH_FILE], 1):
                content = b"".join(packet(line, is_5) for line in lines)
                (OUT / f"{path.stem}-{label}-{number}").write_bytes(content)


main()
