"""What a proxy or a tunnel in front of Belvedere needs, as the settings are now; nothing is asked of the network."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from belvedere.lab.doctor.check import CheckResult, CheckState

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME: Final = "way in"
HOW_TO: Final = "docs/how-to/reach-the-house.md"
NEEDS: Final = "pass on Host, X-Forwarded-For, X-Forwarded-Proto and WebSockets, and store no request"


def way_in(host: str, names: Sequence[str], proxies: Sequence[str]) -> list[CheckResult]:
    """How visitors come in: where the server listens, under which `names`, and which `proxies` it trusts."""
    if not names:
        if _is_loopback(host):
            message = f"only this computer reaches {host}, and no name is set for a proxy or tunnel"
            fix = f'for visitors, [server] names = ["home.example.org"] and a way in: {HOW_TO}'
        else:
            message = f"whoever reaches {host} gets the page, under any name"
            fix = f"for visitors elsewhere, a proxy or tunnel, and its name in [server] names: {HOW_TO}"
        return [CheckResult(NAME, CheckState.OK, message, fix)]
    where = "on this computer" if all(_is_loopback(proxy) for proxy in proxies) else f"at {', '.join(proxies)}"
    message = f"for {', '.join(names)}, a proxy or tunnel {where} must {NEEDS}"
    return [
        CheckResult(NAME, CheckState.OK, message, f"belvedere doctor --from-outside https://{names[0]} checks that")
    ]


def _is_loopback(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_network(address.strip("[]"), strict=False).is_loopback
    except ValueError:
        return False
