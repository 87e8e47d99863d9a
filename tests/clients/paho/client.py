"""A paho-mqtt client whose events are waited for one by one."""

import queue
import socket
import sys

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

VERSIONS = {"3.1": paho.MQTTv31, "3.1.1": paho.MQTTv311, "5": paho.MQTTv5}

# Only against hanging for ever.
PATIENCE = 30

# Of the user there is.
LOGIN = ("ann", "right")


class Difference(Exception):
    """What the broker did otherwise than it should."""


def same(what, got, wanted):
    """Says what is different, if anything is."""
    if got != wanted:
        raise Difference(f"{what}: {wanted!r} wanted, but it is {got!r}")


def properties(packet, **values):
    """Properties of a packet of MQTT 5, by paho's names of them."""
    made = Properties(getattr(PacketTypes, packet))
    for name, value in values.items():
        setattr(made, name, value)
    return made


def mend_second_tries(client):
    """Paho 2.1 gets its states ready for a new connection at each try, and forgets at the second one that it had sent PUBREL. It
    then publishes the message anew, which no broker can tell from another one [MQTT-4.3.3-1]."""
    reset = client._messages_reconnect_reset_out

    def mended():
        for message in client._out_messages.values():
            if message.state == paho.mqtt_ms_resend_pubrel:
                message.state = paho.mqtt_ms_wait_for_pubcomp
        reset()

    client._messages_reconnect_reset_out = mended


class Client:
    """One client. `way` is a place and a manner to get there, as `ways` makes them."""

    def __init__(self, way, version, name, clean=True, expiry=None, will=None, login=None, connect=None):
        self.name, self.version, self.way = name, version, way
        self.events, self.messages = queue.Queue(), queue.Queue()
        is_five = version == "5"
        self.paho = paho.Client(
            paho.CallbackAPIVersion.VERSION2,
            client_id=name,
            protocol=VERSIONS[version],
            transport="websockets" if way["path"] else "tcp",
            clean_session=None if is_five else clean,
            reconnect_on_failure=way.get("reconnects", False),
        )
        self.paho.reconnect_delay_set(1, 1)
        mend_second_tries(self.paho)
        if way["path"]:
            self.paho.ws_set_options(path=way["path"])
        if way["ca"]:
            self.paho.tls_set(ca_certs=way["ca"])
        login = login or way["login"]
        if login:
            self.paho.username_pw_set(*login)
        if will:
            self.paho.will_set(**will)
        self.clean_start, self.asked = clean, None
        if is_five:
            given = dict(connect or {})
            if expiry is not None:
                given["SessionExpiryInterval"] = expiry
            self.asked = properties("CONNECT", **given)
        put = self.events.put
        self.paho.on_connect = lambda _c, _u, flags, code, given: put(("connected", code, flags, given))
        self.paho.on_disconnect = lambda _c, _u, _f, code, given: put(("disconnected", code))
        self.paho.on_subscribe = lambda _c, _u, _m, codes, given: put(("subscribed", [code.value for code in codes]))
        self.paho.on_unsubscribe = lambda _c, _u, _m, codes, given: put(("unsubscribed", [code.value for code in codes]))
        self.paho.on_message = lambda _c, _u, message: self.messages.put(message)

    def connect(self, wanted=0):
        """Connects; flags and properties of the answer."""
        self.begin()
        _, code, flags, given = self.event("connected")
        same(f"the answer to {self.name}'s connection", code.value, wanted)
        return flags, given

    def begin(self):
        kind = {"clean_start": self.clean_start, "properties": self.asked} if self.version == "5" else {}
        self.paho.connect(self.way["host"], self.way["port"], keepalive=60, **kind)
        self.paho.loop_start()

    def event(self, kind):
        """The next event, which is to be of this kind."""
        try:
            event = self.events.get(timeout=PATIENCE)
        except queue.Empty:
            raise Difference(f"{self.name} is not {kind}, and nothing else happens") from None
        same(f"what happens to {self.name}", event[0], kind)
        return event

    def subscribe(self, *filters, wanted=None, **given):
        """Subscribes to pairs of a filter and its QoS or options."""
        made = properties("SUBSCRIBE", **given) if given else None
        self.paho.subscribe(list(filters), properties=made)
        granted = self.event("subscribed")[1]
        same(f"what {self.name} is granted for {filters}", granted, wanted or [qos_of(one) for _, one in filters])

    def unsubscribe(self, *filters):
        self.paho.unsubscribe(list(filters))
        self.event("unsubscribed")

    def publish(self, topic, payload=b"", qos=1, retain=False, **given):
        """Publishes, and returns when that is acknowledged."""
        made = properties("PUBLISH", **given) if given else None
        info = self.paho.publish(topic, payload, qos, retain, properties=made)
        info.wait_for_publish(PATIENCE)
        if not info.is_published():
            raise Difference(f"{self.name}'s message to {topic} at QoS {qos} is not acknowledged")

    def message(self):
        """The next message."""
        try:
            return self.messages.get(timeout=PATIENCE)
        except queue.Empty:
            raise Difference(f"no message comes to {self.name}, and one should") from None

    def gets(self, what, *wanted):
        """The next messages: topic, payload, QoS, whether it is marked as retained."""
        for one in wanted:
            got = self.message()
            same(f"{what}, which {self.name} gets", (got.topic, got.payload, got.qos, got.retain), one)

    def gets_nothing(self, what, sender):
        """Nothing came to this client before what `sender` now sends it."""
        topic = f"{self.name}/last"
        self.subscribe((topic, 1))
        sender.publish(topic, b"last")
        got = self.message()
        same(f"{what}: what {self.name} gets next", (got.topic, got.payload), (topic, b"last"))
        self.unsubscribe(topic)

    def disconnect(self, **given):
        """Takes leave; with properties or a reason code at MQTT 5."""
        self.paho.disconnect(**given)
        self.event("disconnected")
        self.paho.loop_stop()

    def lose(self):
        """Lets the connection break: without DISCONNECT."""
        connection = self.paho.socket()
        # That below a WebSocket.
        getattr(connection, "_socket", connection).shutdown(socket.SHUT_RDWR)
        self.event("disconnected")


def qos_of(options):
    return options if isinstance(options, int) else options.QoS


def ways(places):
    """Each way in, by its name. WebSockets may have places of their own."""

    def way(place, path, ca=None, login=None):
        host, port = places[place].rsplit(":", 1)
        return {"host": host, "port": int(port), "path": path, "ca": ca, "login": login}

    made = {
        "tcp": way("tcp", None),
        "tls": way("tls", None, places["ca"]),
        "ws": way("ws" if "ws" in places else "tcp", "/"),
        "wss": way("wss" if "wss" in places else "tls", "/any", places["ca"]),
    }
    if "http" in places:
        made["ws-http"] = way("http", "/mqtt", login=LOGIN)
    return made


def end(wrong):
    """Ends the program with what is wrong, one sentence a line."""
    for one in wrong:
        print(f"paho: {one}", file=sys.stderr)
    sys.exit(1 if wrong else 0)
