from __future__ import annotations

from belvedere.lab.logs.summary import CharacteristicSummary, DeviceSummary


def test_one_characteristic_is_a_discovery() -> None:
    characteristic = CharacteristicSummary(uuid="fff1", handle=0x17, properties=0x0C)
    for characteristics in ((), (characteristic,)):
        device = DeviceSummary(
            label="C0:DE:00:00:5A:1E",
            name="",
            connections=(),
            services=(),
            characteristics=characteristics,
            requested_hash=False,
        )
        assert device.has_discovery == bool(characteristics)
