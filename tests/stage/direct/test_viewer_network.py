from __future__ import annotations

from belvedere.secret import Secret
from belvedere.stage.direct.viewer_network import ViewerNetwork
from belvedere.stage.options import StageOptions
from belvedere.stage.turn_options import CoturnOptions


async def test_by_default_nothing_is_announced_and_no_server_is_asked() -> None:
    network = ViewerNetwork.of(StageOptions(), lambda: 0.0)
    assert await network.announced_now() == []
    assert network.servers.newest("a") == ()


async def test_the_network_is_as_the_settings_describe_it() -> None:
    options = StageOptions(
        max_viewers=1,
        udp_ports="21340-21340",
        announced_addresses=("203.0.113.7",),
        turn=CoturnOptions(urls=("turn:turn.example.org",), secret=Secret("x")),
    )
    network = ViewerNetwork.of(options, lambda: 0.0)
    assert await network.announced_now() == ["203.0.113.7"]
    assert [server.url for server in network.servers.newest("a")] == ["turn:turn.example.org"]
    (opened,) = network.ports.open(["127.0.0.1"])
    assert opened.getsockname()[1] == 21_340
    opened.close()
