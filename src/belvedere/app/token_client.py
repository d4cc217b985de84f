"""The tokens of scripts of the running server, for commands: asked for over the local socket, and written as lines."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

from belvedere.app.local_client import LocalClient
from belvedere.errors import OwnerError
from belvedere.gateway.views import CreatedToken, Tokens, TokenView

if TYPE_CHECKING:
    from belvedere.app.settings import Config

PATH: Final = "/api/v1/tokens"
DAY_S: Final = 86400.0


def tokens_of(config: Config) -> TokenClient:
    """The tokens of the server with these settings. Raises OwnerError where they have no store."""
    if config.store is None:
        raise OwnerError('there is no server to be asked: [store] file is ""')
    return TokenClient(LocalClient(config.store.parent))


class TokenClient:
    """The methods raise OwnerError where the server does not run, or refuses."""

    def __init__(self, client: LocalClient) -> None:
        self._client = client

    def all(self) -> list[TokenView]:
        """All tokens, oldest first."""
        return msgspec.convert(self._client.request("GET", PATH), Tokens).tokens

    def create(self, name: str, scope: str, days: float | None) -> CreatedToken:
        """Create a token; its secret is in the answer, and nowhere else."""
        wanted = {"name": name, "scope": scope, **({} if days is None else {"lifetime_s": days * DAY_S})}
        return msgspec.convert(self._client.request("POST", PATH, wanted), CreatedToken)

    def revoke(self, token: str) -> TokenView:
        """Revoke a token by its id or name; returns it as it was."""
        found = next((each for each in self.all() if token in {each.id, each.name}), None)
        if found is None:
            raise OwnerError(f"there is no token {token!r}: `belvedere tokens list` shows them")
        self._client.request("DELETE", f"{PATH}/{found.id}")
        return found


def token_line(token: TokenView) -> str:
    """One token as a line: its id, name and scope, and until when it lets its script in."""
    if token.ends_utc_s is None:
        until = "until it is revoked"
    else:
        ends = datetime.fromtimestamp(token.ends_utc_s).astimezone().strftime("%Y-%m-%d %H:%M")
        until = f"until {ends}" if token.is_valid else f"ended {ends}"
    return f"{token.id}  {token.name}: may {token.scope}, {until}"
