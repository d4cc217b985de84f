"""The settings of TURN servers whose credentials Belvedere makes itself, for each visit."""

from __future__ import annotations

from typing import Annotated

import msgspec

from belvedere.secret import Secret

_URL = r"^turns?:[A-Za-z0-9._-]+(:[0-9]+)?(\?transport=(udp|tcp))?\Z"
TurnUrl = Annotated[str, msgspec.Meta(pattern=_URL, max_length=300, description="turn:host:port or turns:host:port")]
SecretFile = Annotated[Secret, msgspec.Meta(description="the path of a file with one line")]
MIN_LIFETIME_S = 600  # pages ask for new credentials when theirs are five minutes old


class CoturnOptions(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="coturn"
):
    """Your own coturn with `use-auth-secret`, or another server with the same scheme.

    Attributes:
        urls: how to reach it, the preferred way first: `turn:turn.example.org`, the same with `?transport=tcp`, and
            `turns:turn.example.org` with TLS.
        secret: the text of coturn's `static-auth-secret`. It is never sent to anybody.
        lifetime_s: for how long credentials open a relay. A relay that is open by then stays open.
    """

    urls: Annotated[tuple[TurnUrl, ...], msgspec.Meta(min_length=1, max_length=4)]
    secret: SecretFile = msgspec.field(name="secret_file")
    lifetime_s: Annotated[int, msgspec.Meta(ge=MIN_LIFETIME_S, le=86_400)] = 3600


class CloudflareTurnOptions(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="cloudflare"
):
    """Cloudflare's TURN service. Its API gives the credentials, and is asked for new ones at half of their lifetime.

    Attributes:
        key_id: the id of the TURN key.
        token: the API token of the TURN key. It is sent to nobody but Cloudflare.
        lifetime_s: for how long credentials are valid. Longer than most visits, because nothing promises that a relay
            outlives its credentials.
    """

    key_id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9]+\Z", max_length=64)]
    token: SecretFile = msgspec.field(name="token_file")
    lifetime_s: Annotated[int, msgspec.Meta(ge=MIN_LIFETIME_S, le=172_800)] = 21_600

    def __post_init__(self) -> None:
        """Raise ValueError for what cannot stand in an HTTP header."""
        token = self.token.reveal()
        if not (token.isascii() and token.isprintable()) or " " in token:
            raise ValueError("token_file must contain one line of ASCII characters without spaces")


TurnOptions = CoturnOptions | CloudflareTurnOptions
