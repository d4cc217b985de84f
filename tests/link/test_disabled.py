"""The link of an axis without a unit."""

from __future__ import annotations

import pytest

from belvedere.errors import LinkError, LinkReason
from belvedere.link.disabled import DisabledUnit
from belvedere.testing.link_contract import ClosedLinkContract


class TestDisabledUnit(ClosedLinkContract):
    def closed_link(self) -> DisabledUnit:
        return DisabledUnit()

    async def test_opening_says_that_there_is_no_unit(self) -> None:
        with pytest.raises(LinkError) as caught:
            await DisabledUnit().open(lambda: None, lambda: None)
        assert caught.value.reason is LinkReason.DISABLED
