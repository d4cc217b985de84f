from belvedere.cli.adapter import opened_adapter
from belvedere.head.profile import shipped_profile
from belvedere.lab.adapter import Adapter


async def test_this_computers_adapter_goes_by_its_name() -> None:
    async with opened_adapter("hci1", None) as adapter:
        assert adapter == Adapter(name="hci1")


async def test_a_head_that_does_not_exist_brings_its_own_adapter() -> None:
    async with opened_adapter(None, shipped_profile("zeapon-pons-pt")) as adapter:
        assert adapter.client_backend is not None
        assert adapter.scanner_backend is not None
