"""A secret that no log line, error or repr shows."""

from __future__ import annotations


class Secret:
    """A text such as a password. Only `reveal` gives it away, so that every place where it is used can be found."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        """The same for every secret, not even its length; also what `str` and formatting give."""
        return "Secret(hidden)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)
