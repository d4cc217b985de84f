from __future__ import annotations

from tests.support.subscriptions import drain

from belvedere.engine.bus import Bus


async def test_whatever_waits_is_read_once_in_the_order_of_its_topics() -> None:
    bus = Bus()
    subscription = bus.subscribe("status", "ack")
    for topic, value in (("ack", 1), ("status", 2), ("ack", 3)):
        bus.publish(topic, value)
    assert drain(subscription) == [("ack", 3), ("status", 2)]
    assert drain(subscription) == []


async def test_a_drained_subscription_goes_on_and_a_closed_one_gives_nothing() -> None:
    bus = Bus()
    subscription = bus.subscribe("status")
    assert drain(subscription) == []
    bus.publish("status", 1)
    assert drain(subscription) == [("status", 1)]
    bus.publish("status", 2)
    subscription.close()
    assert drain(subscription) == []
