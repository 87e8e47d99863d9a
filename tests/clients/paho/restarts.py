"""What a broker keeps for paho-mqtt when it stops, and when it is killed: restarts.py '{"tcp": "host:port", …}'.

Where the broker is to be started anew this writes `stop` or `kill`, and waits for a line.
"""

import json
import sys

from client import Client, Difference, end, same, ways

MESSAGES = 60


class Sleeper:
    """A client whose session outlives the broker, with what it is to get."""

    def __init__(self, version, name, way):
        self.version, self.way = version, way
        self.title = f"MQTT {version} over {name}"
        self.name = f"r{version.replace('.', '')}{name}"
        self.wanted = {1: [], 2: []}
        self.awake = None

    def client(self, name, clean=True, **options):
        if self.version == "5":
            options["expiry"] = None if clean else 3600
        return Client(self.way, self.version, f"{self.name}-{name}", clean=clean, **options)

    def wake(self, wanted_present=True):
        self.awake = self.client("sleeper", clean=False)
        flags, _ = self.awake.connect()
        if self.version != "3.1":
            same("whether its session is there", flags.session_present, wanted_present)

    def fall_asleep(self):
        self.wake(False)
        self.awake.subscribe((f"{self.name}/+", 2))
        self.awake.disconnect()

    def send(self, count):
        """Sends it messages; what is acknowledged is to come."""
        sender = self.client("sender")
        sender.connect()
        for _ in range(count):
            for qos, wanted in self.wanted.items():
                payload = b"%d" % len(wanted)
                sender.publish(f"{self.name}/{qos}", payload, qos)
                wanted.append(payload)
        sender.publish(f"{self.name}/kept", b"kept", retain=True)
        sender.disconnect()

    def get(self):
        """All of it comes, in order."""
        got = {1: [], 2: []}
        while any(len(got[qos]) < len(self.wanted[qos]) for qos in got):
            message = self.awake.message()
            if not message.topic.endswith("kept"):
                got[message.qos].append(message.payload)
        same("what waited", got, self.wanted)
        self.wanted = {1: [], 2: []}
        late = self.client("late")
        late.connect()
        late.subscribe((f"{self.name}/kept", 1))
        late.gets("what is retained", (f"{self.name}/kept", b"kept", 1, True))
        late.disconnect()
        self.awake.disconnect()


class Steady:
    """A publisher and a subscriber that stay and connect again by themselves, while messages of QoS 2 are under way."""

    def __init__(self, version, name, way):
        self.title = f"MQTT {version} over {name}, connecting again"
        self.name = f"s{version.replace('.', '')}{name}"
        self.version, self.sent = version, 0
        way = way | {"reconnects": True}
        options = {"clean": False} | ({"expiry": 3600} if version == "5" else {})
        self.to = Client(way, version, f"{self.name}-to", **options)
        self.by = Client(way, version, f"{self.name}-by", **options)
        self.under_way = []

    def begin(self):
        for client in [self.to, self.by]:
            client.connect()
        self.to.subscribe((self.name, 2))

    def send(self):
        for _ in range(MESSAGES):
            self.under_way.append(self.by.paho.publish(self.name, b"%d" % self.sent, 2))
            self.sent += 1

    def get(self):
        for info in self.under_way:
            info.wait_for_publish(60)
        got = sorted(int(self.to.message().payload) for _ in range(self.sent))
        same("each message once", got, list(range(self.sent)))
        self.to.paho.publish(self.name, b"end", 2)
        self.to.gets("and no other", (self.name, b"end", 2, False))
        for client in [self.to, self.by]:
            client.paho.disconnect()
            client.paho.loop_stop()


def restart(how):
    print(how, flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    wrong, ways = [], ways(json.loads(sys.argv[1]))
    versions = ["3.1", "3.1.1", "5"]
    sleepers = [Sleeper(version, name, ways[name]) for version in versions for name in ["tcp", "wss"]]
    steady = [Steady(version, name, ways[name]) for version in ["3.1.1", "5"] for name in ["tcp", "tls", "ws"]]

    def each(clients, what, *arguments):
        for client in list(clients):
            try:
                getattr(client, what)(*arguments)
            except Difference as error:
                wrong.append(f"{client.title}, {what}: {error}")
                clients.remove(client)

    each(sleepers, "fall_asleep")
    each(steady, "begin")
    for how in ["stop", "kill"]:
        each(sleepers, "send", MESSAGES // 2)
        each(steady, "send")
        restart(how)
    each(sleepers, "wake")
    each(sleepers, "get")
    each(steady, "get")
    end(wrong)
