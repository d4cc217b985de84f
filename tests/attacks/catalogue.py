"""Every attack by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.attacks import media, pages, publisher, sockets, strangers, streams, talkers

if TYPE_CHECKING:
    from tests.attacks.target import Attack

NOTHING = sockets.nothing.__name__

ATTACKS: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (*media.ATTACKS, *pages.ATTACKS, *sockets.ATTACKS, *strangers.ATTACKS, *streams.ATTACKS)
}
VOICE_ATTACKS: dict[str, Attack] = {attack.__name__: attack for attack in talkers.ATTACKS}
PUBLISHER_ATTACKS: dict[str, Attack] = {attack.__name__: attack for attack in publisher.ATTACKS}
