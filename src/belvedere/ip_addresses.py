"""Tells IP addresses from names."""

from __future__ import annotations

import ipaddress


def is_ip_address(text: str) -> bool:
    """Whether this is an IPv4 or IPv6 address, without brackets and without a port."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
