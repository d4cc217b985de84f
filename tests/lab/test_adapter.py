from belvedere.errors import LinkReason
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
