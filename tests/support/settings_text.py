"""The settings of servers that are measured or attacked as processes: a virtual head, nothing saved by default."""

from __future__ import annotations

VIRTUAL_HEAD = """
kind = "virtual"
pan.full_speed_deg_per_s = 40.0
tilt.full_speed_deg_per_s = 20.0
"""
DRAWN_ROOM = 'kind = "room"'


def settings_text(
    *,
    head: str = VIRTUAL_HEAD,
    camera: str = DRAWN_ROOM,
    stage: str = "",
    server: str = "",
    access: str = "",
    store: str = 'file = ""',
) -> str:
    """Settings with these lines in their tables. The server takes any free port, and keeps the lease for nobody."""
    tables = {
        "server": f"port = 0\n{server}",
        "head": head,
        "control": "lease_grace_s = 0",
        "camera": camera,
        "stage": stage,
        "access": access,
        "store": store,
    }
    return "\n".join(f"[{name}]\n{lines}" for name, lines in tables.items())
