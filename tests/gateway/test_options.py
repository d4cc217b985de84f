"""What an owner may set about the server is checked where it is read."""

import pytest

from belvedere.errors import SettingsError
from belvedere.gateway.options import GatewayOptions
from belvedere.head.document import read_document


def test_proxies_are_addresses_or_networks() -> None:
    options = read_document('trusted_proxies = ["10.42.0.0/16", "::1"]', GatewayOptions, "x.toml")
    assert options.trusted_proxies == ("10.42.0.0/16", "::1")


@pytest.mark.parametrize("proxy", ["proxy.example.org", "", "10.42.0.0/40", "*"])
def test_an_invalid_proxy_is_refused_with_what_is_allowed(proxy: str) -> None:
    with pytest.raises(SettingsError, match=r"trusted_proxies.*10\.42\.0\.0/16") as refused:
        read_document(f'trusted_proxies = ["{proxy}"]', GatewayOptions, "x.toml")
    assert repr(proxy) in str(refused.value)
