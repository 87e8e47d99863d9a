"""Exchanges of paho-mqtt with a broker, each at every version and over every way in: exchanges.py '{"tcp": "host:port", …}'."""

import json
import sys
import threading

from client import LOGIN, Client, Difference, end, same, ways
from fifth import FIFTH

EVERY_BYTE = bytes(range(256))


class Round:
    """A version and a way in; whatever is named here is named after them."""

    def __init__(self, version, name, ways):
        self.version, self.ways, self.way = version, ways, ways[name]
        # Client identifiers of MQTT 3.1 have 23 characters at most.
        self.name = f"p{version.replace('.', '')}{name}"
        self.clients = []

    def client(self, name, **options):
        made = Client(options.pop("way", self.way), self.version, f"{self.name}-{name}", **options)
        self.clients.append(made)
        return made

    def connected(self, name, **options):
        made = self.client(name, **options)
        made.connect()
        return made

    def topic(self, rest):
        return f"{self.name}/{rest}"

    def lasting(self, name, **options):
        """A client whose session outlives its connection."""
        if self.version == "5":
            options["expiry"] = 3600
        return self.client(name, clean=False, **options)


def every_qos(round):
    sender, receiver = round.connected("from"), round.connected("to")
    for granted in range(3):
        topic = round.topic(f"qos/{granted}")
        receiver.subscribe((topic, granted))
        for qos in range(3):
            for payload in [b"", b"21", EVERY_BYTE, "Grüße, 世界".encode()]:
                sender.publish(topic, payload, qos)
                receiver.gets(f"QoS {qos} to {granted}", (topic, payload, min(qos, granted), False))


def large(round):
    # paho 2.1 sends no more over a WebSocket once the system has taken a part of what it wrote, whichever the broker.
    way = round.ways["tcp" if round.way["path"] else "tls"]
    sender, receiver = round.connected("from", way=way), round.connected("to")
    topic, payload = round.topic("large"), EVERY_BYTE * (5 * 4096)
    receiver.subscribe((topic, 2))
    for qos in range(3):
        sender.publish(topic, payload, qos)
        got = receiver.message()
        same(f"5 MB at QoS {qos}", (got.topic, got.qos, got.payload == payload), (topic, qos, True))


def filters(round):
    sender, receiver = round.connected("from"), round.connected("to")
    receiver.subscribe((round.topic("+/b/#"), 1), (round.topic("ü/+"), 0))
    for topic in ["a/b", "a/b/c/d", "ü/x", "/b", "a/c", "ü"]:
        sender.publish(round.topic(topic), topic)
    receiver.gets(
        "what its filters say",
        (round.topic("a/b"), b"a/b", 1, False),
        (round.topic("a/b/c/d"), b"a/b/c/d", 1, False),
        (round.topic("ü/x"), "ü/x".encode(), 0, False),
        (round.topic("/b"), b"/b", 1, False),
    )
    receiver.unsubscribe(round.topic("+/b/#"))
    sender.publish(round.topic("a/b"))
    receiver.gets_nothing("it has unsubscribed", sender)


def retained(round):
    sender, early = round.connected("from"), round.connected("early")
    topic = round.topic("kept/a")
    early.subscribe((topic, 2))
    for qos in range(3):
        payload = b"kept %d" % qos
        sender.publish(topic, payload, qos, retain=True)
        early.gets("a message to retain", (topic, payload, qos, False))
        late = round.connected(f"late{qos}")
        late.subscribe((round.topic("kept/#"), 1))
        late.gets("a retained message", (topic, payload, min(qos, 1), True))
    sender.publish(topic, b"", retain=True)
    early.gets("an empty message to retain", (topic, b"", 1, False))
    last = round.connected("last")
    last.subscribe((topic, 1))
    last.gets_nothing("nothing is retained any more", sender)


def wills(round):
    watcher = round.connected("watch")
    watcher.subscribe((round.topic("will/#"), 2))
    for qos in range(3):
        topic = round.topic(f"will/{qos}")
        will = {"topic": topic, "payload": b"gone", "qos": qos, "retain": qos == 1}
        round.connected(f"polite{qos}", will=will).disconnect()
        watcher.gets_nothing("who takes leave has no will", watcher)
        round.connected(f"lost{qos}", will=will).lose()
        watcher.gets("the will of a lost client", (topic, b"gone", qos, False))
    late = round.connected("late")
    late.subscribe((round.topic("will/+"), 1))
    late.gets("a retained will", (round.topic("will/1"), b"gone", 1, True))
    late.publish(round.topic("will/1"), b"", retain=True)


def sessions(round):
    sender, receiver = round.connected("from"), round.lasting("sleeper")
    topic = round.topic("session")
    flags, _ = receiver.connect()
    same("there is no session yet", flags.session_present, False)
    receiver.subscribe((topic, 2))
    receiver.disconnect()
    for qos in [1, 2]:
        for number in range(20):
            sender.publish(topic, b"%d" % number, qos)
    flags, _ = receiver.connect()
    # MQTT 3.1 has no such flag.
    if round.version != "3.1":
        same("there is a session", flags.session_present, True)
    # paho gives out messages of QoS 2 later than those of QoS 1 that came behind them.
    got = [receiver.message() for _ in range(40)]
    for qos in [1, 2]:
        wanted = [(topic, b"%d" % number, False) for number in range(20)]
        same("what waited", [(one.topic, one.payload, one.retain) for one in got if one.qos == qos], wanted)
    receiver.disconnect()
    cleared = round.client("sleeper")
    flags, _ = cleared.connect()
    same("a session that began anew was there", flags.session_present, False)
    sender.publish(topic, b"nobody")
    cleared.gets_nothing("its subscription is gone", sender)


def taken_over(round):
    will = {"topic": round.topic("over/will"), "payload": b"gone", "qos": 1}
    watcher, first = round.connected("watch"), round.connected("twin", will=will)
    watcher.subscribe((round.topic("over/#"), 1))
    second = round.connected("twin")
    # paho does not read the reason unless properties follow it.
    first.event("disconnected")
    watcher.gets("the will of the first one", (round.topic("over/will"), b"gone", 1, False))
    second.publish(round.topic("over/on"), b"on")
    watcher.gets("what the second one says", (round.topic("over/on"), b"on", 1, False))


def in_order(round):
    sender, receiver = round.connected("from"), round.connected("to")
    for qos in range(3):
        topic = round.topic(f"order/{qos}")
        receiver.subscribe((topic, qos))
        sent = [sender.paho.publish(topic, b"%d" % number, qos) for number in range(200)]
        receiver.gets("many at once", *[(topic, b"%d" % number, qos, False) for number in range(200)])
        for info in sent:
            info.wait_for_publish()


def shared(round):
    sender = round.connected("from")
    members = [round.connected(f"member{number}") for number in range(2)]
    members[1].messages = members[0].messages
    filter, topic = f"$share/group/{round.topic('shared/#')}", round.topic("shared/a")
    for member in members:
        member.subscribe((filter, 1))
    for number in range(40):
        sender.publish(topic, b"%d" % number)
    got = [members[0].message().payload for _ in range(40)]
    same("what the members of a group get together", sorted(got, key=int), [b"%d" % number for number in range(40)])
    for member in members:
        member.unsubscribe(filter)
    sender.publish(topic, b"nobody")
    members[0].gets_nothing("the group has no member", sender)


def logins(round):
    round.connected("ann", login=LOGIN).disconnect()
    round.client("wrong", login=("ann", "wrong")).connect(0x86)
    round.client("nobody", login=("bob", "right")).connect(0x86)


def names(round):
    if round.version == "3.1":
        return
    nameless = Client(round.way, round.version, "")
    _, given = nameless.connect()
    if round.version == "5":
        same("a name is given", bool(given.AssignedClientIdentifier), True)
    nameless.subscribe((round.topic("named"), 0))
    nameless.publish(round.topic("named"), b"me", 0)
    nameless.gets("its own message", (round.topic("named"), b"me", 0, False))
    nameless.disconnect()


EXCHANGES = [every_qos, large, filters, retained, wills, sessions, taken_over, in_order, shared, logins, names]


def run(version, name, ways, wrong):
    for exchange in EXCHANGES + (FIFTH if version == "5" else []):
        round = Round(version, name, ways)
        try:
            exchange(round)
            for client in round.clients:
                client.paho.disconnect()
        except Exception as error:
            kind = "" if isinstance(error, Difference) else f"{type(error).__name__}: "
            wrong.append(f"MQTT {version} over {name}, {exchange.__name__}: {kind}{error}")
        for client in round.clients:
            client.paho.loop_stop()


if __name__ == "__main__":
    wrong, ways = [], ways(json.loads(sys.argv[1]))
    threads = [
        threading.Thread(target=run, args=(version, name, ways, wrong))
        for version in ["3.1", "3.1.1", "5"]
        for name in ways
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    end(wrong)
