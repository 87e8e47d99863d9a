"""What only MQTT 5 has."""

import time

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from client import properties, same


def travelling_properties(round):
    sender, receiver = round.connected("from"), round.connected("to")
    topic = round.topic("properties")
    receiver.subscribe((topic, 2), SubscriptionIdentifier=300)
    users = [("a", "1"), ("b", "2"), ("a", "3")]
    for qos in range(3):
        sender.publish(
            topic,
            b"21",
            qos,
            retain=True,
            PayloadFormatIndicator=1,
            ContentType="text/plain",
            ResponseTopic="answer/here",
            CorrelationData=bytes(range(256)),
            MessageExpiryInterval=100,
            UserProperty=users,
        )
        for marked in [False, True]:
            if marked:
                receiver.subscribe((topic, 2), SubscriptionIdentifier=301)
            got = receiver.message()
            given = got.properties
            same("a message with properties", (got.payload, got.qos, got.retain), (b"21", qos, marked))
            same("payload format", given.PayloadFormatIndicator, 1)
            same("content type", given.ContentType, "text/plain")
            same("response topic", given.ResponseTopic, "answer/here")
            same("correlation data", given.CorrelationData, bytes(range(256)))
            same("that the expiry counts down", 90 < given.MessageExpiryInterval <= 100, True)
            same("user properties", given.UserProperty, users)
            same("subscription identifier", given.SubscriptionIdentifier, [301 if marked else 300])
        receiver.subscribe((topic, SubscribeOptions(2, retainHandling=2)), SubscriptionIdentifier=300)
    sender.publish(topic, b"", retain=True)


def request_and_response(round):
    asker, answerer = round.connected("ask"), round.connected("answer")
    question, answers = round.topic("question"), round.topic("answers")
    asker.subscribe((answers, 1))
    answerer.subscribe((question, 1))
    for number in range(5):
        asker.publish(question, b"%d" % number, ResponseTopic=answers, CorrelationData=b"c%d" % number)
        asked = answerer.message()
        given = asked.properties
        answer = b"%d" % (2 * int(asked.payload))
        answerer.publish(given.ResponseTopic, answer, CorrelationData=given.CorrelationData)
    for number in range(5):
        got = asker.message()
        answer = (got.payload, got.properties.CorrelationData)
        same("an answer", answer, (b"%d" % (2 * number), b"c%d" % number))


def subscription_options(round):
    sender, receiver = round.connected("from"), round.connected("to")
    topic = round.topic("options")
    sender.subscribe((topic, SubscribeOptions(1, noLocal=True)))
    receiver.subscribe((topic, SubscribeOptions(1, retainAsPublished=True)))
    sender.publish(topic, b"kept", retain=True)
    receiver.gets("retained as published", (topic, b"kept", 1, True))
    sender.gets_nothing("no local", receiver)
    receiver.subscribe((topic, SubscribeOptions(1, retainHandling=1)))
    receiver.gets_nothing("retained messages only for new subscriptions", sender)
    receiver.subscribe((topic, SubscribeOptions(1, retainHandling=0)))
    receiver.gets("retained messages again", (topic, b"kept", 1, True))
    receiver.unsubscribe(topic)
    receiver.subscribe((topic, SubscribeOptions(1, retainHandling=2)))
    receiver.gets_nothing("no retained messages", sender)
    sender.publish(topic, b"", retain=True)


def overlapping(round):
    sender, receiver = round.connected("from"), round.connected("to")
    topic = round.topic("overlap/a")
    receiver.subscribe((topic, 0), SubscriptionIdentifier=7)
    receiver.subscribe((round.topic("overlap/#"), 2), SubscriptionIdentifier=8)
    sender.publish(topic, b"21", 2)
    got, first = [], receiver.message()
    got += first.properties.SubscriptionIdentifier
    # One message for both subscriptions, or one for each.
    while sorted(got) != [7, 8]:
        got += receiver.message().properties.SubscriptionIdentifier
    receiver.gets_nothing("each subscription once", sender)


def reason_codes(round):
    sender = round.connected("from")
    code = []
    sender.paho.on_publish = lambda _c, _u, _m, reason, _p: code.append(reason.value)
    for qos in [1, 2]:
        sender.publish(round.topic("nobody/listens"), b"", qos)
    receiver = round.connected("to")
    receiver.subscribe((round.topic("somebody"), 0))
    for qos in [1, 2]:
        sender.publish(round.topic("somebody"), b"", qos)
    same("acknowledgements without and with subscribers", (code[0], *code[2:]), (0x10, 0, 0))
    sender.paho.unsubscribe(round.topic("never"))
    same("to unsubscribe from nothing", sender.event("unsubscribed")[1], [0x11])
    receiver.disconnect()


def small_packets(round):
    sender = round.connected("from")
    receiver = round.connected("to", connect={"MaximumPacketSize": 200, "ReceiveMaximum": 2})
    topic = round.topic("small")
    receiver.subscribe((topic, 2))
    for payload in [b"a", b"b" * 300, b"c"]:
        sender.publish(topic, payload, 2)
    receiver.gets("only what is small enough", (topic, b"a", 2, False), (topic, b"c", 2, False))
    for number in range(20):
        sender.publish(topic, b"%d" % number, 2)
    receiver.gets("two at a time", *[(topic, b"%d" % number, 2, False) for number in range(20)])


def expiry(round):
    sender, sleeper = round.connected("from"), round.client("expiring", clean=False, expiry=30)
    topic = round.topic("expiry")
    sleeper.connect()
    sleeper.subscribe((topic, 1))
    sleeper.disconnect()
    brief = round.client("brief", clean=False, expiry=1)
    brief.connect()
    brief.disconnect()
    now = round.client("now", clean=False, expiry=100)
    now.connect()
    now.disconnect(properties=properties("DISCONNECT", SessionExpiryInterval=0))
    flags, _ = now.connect()
    same("a session that has been ended at once was there", flags.session_present, False)
    sender.publish(topic, b"short", MessageExpiryInterval=1)
    sender.publish(topic, b"long", MessageExpiryInterval=100)
    time.sleep(2.1)
    flags, _ = brief.connect()
    same("a session that is over was there", flags.session_present, False)
    flags, _ = sleeper.connect()
    same("a session that is not over was there", flags.session_present, True)
    sleeper.gets("what has not expired", (topic, b"long", 1, False))


def wills_of_5(round):
    watcher = round.connected("watch")
    watcher.subscribe((round.topic("will5/#"), 1))

    def will(name, **given):
        given = properties("WILLMESSAGE", **given)
        return {"topic": round.topic(f"will5/{name}"), "payload": b"gone", "qos": 1, "properties": given}

    asked = round.connected("asked", will=will("asked", ContentType="text/plain", UserProperty=[("a", "1")]))
    asked.disconnect(reasoncode=ReasonCode(PacketTypes.DISCONNECT, identifier=4))
    got = watcher.message()
    same("a will that is asked for", (got.topic, got.payload), (round.topic("will5/asked"), b"gone"))
    same("the will's content type", got.properties.ContentType, "text/plain")
    same("the will's user properties", got.properties.UserProperty, [("a", "1")])
    back = round.client("back", clean=False, expiry=60, will=will("back", WillDelayInterval=1))
    back.connect()
    back.lose()
    again = round.client("back", clean=False, expiry=60)
    again.connect()
    waits = round.client("waits", clean=False, expiry=60, will=will("waits", WillDelayInterval=1))
    waits.connect()
    waits.lose()
    watcher.gets("a will with a delay", (round.topic("will5/waits"), b"gone", 1, False))
    watcher.gets_nothing("who is back in time has no will", again)


def aliases(round):
    sender, receiver = round.connected("from"), round.connected("to")
    topic = round.topic("alias")
    receiver.subscribe((topic, 1))
    sender.publish(topic, b"0", TopicAlias=3)
    for number in range(1, 4):
        # The empty topic stands for the alias.
        sender.publish("", b"%d" % number, TopicAlias=3)
    receiver.gets("by an alias", *[(topic, b"%d" % number, 1, False) for number in range(4)])


FIFTH = [
    travelling_properties,
    request_and_response,
    subscription_options,
    overlapping,
    reason_codes,
    small_packets,
    expiry,
    wills_of_5,
    aliases,
]
