import pytest
from tests.link.buses import NEEDS_D_BUS, a_bluez, a_bus

from belvedere.errors import LinkError, LinkReason
from belvedere.head.profile import UnitProfile, shipped_profile
from belvedere.lab.adapter import Adapter
from belvedere.link.ble import BleUnit
from belvedere.sim.head import VirtualHead
from belvedere.testing.link_contract import opened, reason_of


async def test_a_radio_reaches_the_units_of_its_adapter() -> None:
    async with VirtualHead(shipped_profile("zeapon-pons-pt")) as head:
        adapter = Adapter(client_backend=head.client_backend, scanner_backend=head.scanner_backend)
        unit = BleUnit(UnitProfile(name_patterns=("PONS-PAN*",)), adapter.radio())
        await opened(unit)
        assert head.pan.is_connected
        await unit.close()


async def test_a_radio_of_an_adapter_that_is_off_says_so() -> None:
    async with VirtualHead(shipped_profile("zeapon-pons-pt")) as head:
        head.faults.switch_adapter(on=False)
        adapter = Adapter(client_backend=head.client_backend, scanner_backend=head.scanner_backend)
        unit = BleUnit(UnitProfile(name_patterns=("PONS-PAN*",)), adapter.radio())
        assert await reason_of(opened(unit)) is LinkReason.ADAPTER_OFF


async def test_an_adapter_that_is_not_named_is_the_first_that_is_on() -> None:
    assert await Adapter().bluez_name() is None


async def test_an_adapter_of_a_head_that_does_not_exist_is_not_looked_for() -> None:
    async with VirtualHead(shipped_profile("zeapon-pons-pt")) as head:
        assert await Adapter(scanner_backend=head.scanner_backend, name="hci7").bluez_name() == "hci7"


@pytest.mark.realtime
@NEEDS_D_BUS
async def test_an_adapter_that_goes_by_its_address_has_the_name_that_bluez_tells_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with a_bus() as bus, a_bluez(bus):
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        assert await Adapter(name="00:1a:7d:da:71:13").bluez_name() == "hci1"
        with pytest.raises(LinkError, match=r"no such Bluetooth adapter: hci7; this computer has hci0 \(B8:27"):
            await Adapter(name="hci7").bluez_name()
