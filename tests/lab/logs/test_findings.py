from __future__ import annotations

from belvedere.lab.logs.findings import CharacteristicFound, DeviceFound


def test_one_characteristic_is_a_discovery() -> None:
    characteristic = CharacteristicFound(uuid="fff1", handle=0x17, properties=0x0C)
    for characteristics in ((), (characteristic,)):
        device = DeviceFound(
            label="C0:DE:00:00:5A:1E",
            name="",
            connections=(),
            services=(),
            characteristics=characteristics,
            asked_hash=False,
        )
        assert device.has_discovery == bool(characteristics)
