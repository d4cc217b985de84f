import asyncio

from tests.support.subscriptions import drain

from belvedere.engine.bus import Bus


async def test_a_slow_subscriber_gets_only_the_newest_value_of_each_topic() -> None:
    bus = Bus()
    subscription = bus.subscribe("status", "ack:ann")
    for number in range(1000):
        bus.publish("status", number)
        bus.publish("ack:ann:pan", -number)
    assert drain(subscription) == [("status", 999), ("ack:ann:pan", -999)]
    assert drain(subscription) == []


async def test_a_subscriber_gets_its_topics_and_those_below_them_only() -> None:
    bus = Bus()
    subscription = bus.subscribe("ack:ann")
    for topic in ("ack:ann", "ack:ann:tilt", "ack:anna:pan", "ack", "status"):
        bus.publish(topic, topic)
    assert [topic for topic, _ in drain(subscription)] == ["ack:ann", "ack:ann:tilt"]


async def test_iterating_waits_for_the_next_value_and_ends_with_close() -> None:
    bus = Bus()
    subscription = bus.subscribe("status")
    seen: list[object] = []

    async def listen() -> None:
        async for _topic, value in subscription:
            seen.append(value)

    listening = asyncio.create_task(listen())
    await asyncio.sleep(1)
    bus.publish("status", 1)
    await asyncio.sleep(1)
    bus.publish("status", 2)
    await asyncio.sleep(1)
    subscription.close()
    await listening
    assert seen == [1, 2]


async def test_a_closed_subscription_gets_nothing_and_may_be_closed_twice() -> None:
    bus = Bus()
    subscription = bus.subscribe("status")
    subscription.close()
    assert not bus._subscriptions
    subscription.close()
    bus.publish("status", 1)
    assert drain(subscription) == []
