from __future__ import annotations

import socket

import msgspec
import pytest

from belvedere.app.run import run
from belvedere.app.settings import DEMO, furnish
from belvedere.errors import OwnerError
from belvedere.gateway.parts import GatewayOptions


@pytest.mark.realtime
def test_what_only_the_owner_can_mend_comes_out_as_it_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        house = furnish(msgspec.structs.replace(DEMO, server=GatewayOptions(port=taken.getsockname()[1])))
        with pytest.raises(OwnerError, match="cannot listen"):
            run(house, print)
