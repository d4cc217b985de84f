"""Who is known to the house: a name, a role and, for logins that go by it, an e-mail address."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from belvedere.access.rights import Role
from belvedere.access.sessions import new_id
from belvedere.errors import Refusal, VisitorError
from belvedere.store.people import SavedPerson

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger(__name__)

MAX_PEOPLE: Final = 256  # far above what one home needs: a bound on memory, and on what is saved at once
MAX_NAME_CHARS: Final = 64
MAX_EMAIL_CHARS: Final = 254  # RFC 5321, section 4.5.3.1

# Not control characters, line separators, or those that turn the direction of the text that follows a name.
_NOT_IN_NAMES: Final = r"\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff"

PersonId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{12}\Z", description="12 hexadecimal digits")]
PersonName = Annotated[
    str,
    msgspec.Meta(
        pattern=rf"^[^\s{_NOT_IN_NAMES}]([^{_NOT_IN_NAMES}]*[^\s{_NOT_IN_NAMES}])?\Z",
        max_length=MAX_NAME_CHARS,
        description="one line, without space around it",
    ),
]
Email = Annotated[
    str,
    msgspec.Meta(pattern=r"^([!-?A-~]+@[A-Za-z0-9.-]+)?\Z", max_length=MAX_EMAIL_CHARS, description="ana@example.org"),
]


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """One person who may come in.

    Attributes:
        id: stays the same whatever else changes; not a secret.
        name: as others see it; two may have the same.
        role: what the person may do.
        email: whose login by an identity provider is this person's, in lower case; "" for nobody's. No two have one.
        has_joined: whether the person has ever come in.
    """

    id: PersonId
    name: PersonName
    role: Role
    email: Email = ""
    has_joined: bool = False


class People:
    """All people, in the order in which they were added. To change one is for `Invitations`, which has the sessions."""

    def __init__(self, people: Iterable[Person] = ()) -> None:
        self._by_id = {person.id: person for person in people}

    def __len__(self) -> int:
        return len(self._by_id)

    def all(self) -> list[Person]:
        """Everyone."""
        return list(self._by_id.values())

    def find(self, person_id: str) -> Person | None:
        """The person with this id; None where there is none."""
        return self._by_id.get(person_id)

    def find_by_email(self, email: str) -> Person | None:
        """The person with this e-mail address, in whatever case; None where there is none, or where it is ""."""
        wanted = email.lower()
        return next((person for person in self._by_id.values() if wanted and person.email == wanted), None)

    def name_of(self, person_id: str) -> str:
        """The name of this person; of one who is not known the id, which is what a program's session has."""
        person = self._by_id.get(person_id)
        return person_id if person is None else person.name

    def add(self, name: str, role: Role, email: str = "") -> Person:
        """Add a person with a new id. Raises VisitorError for values that no person may have."""
        if len(self._by_id) >= MAX_PEOPLE:
            raise VisitorError(Refusal.TOO_MANY, f"there are {MAX_PEOPLE} people already: remove one first")
        if self.find_by_email(email) is not None:
            raise VisitorError(Refusal.BAD_MESSAGE, "another person has this e-mail address")
        person = _checked(new_id(), name, role, email)
        self._by_id[person.id] = person
        return person

    def restore(self, saved: Iterable[SavedPerson]) -> None:
        """Add people of an earlier run; one who cannot be a person is logged and left out."""
        for each in saved:
            try:
                person = msgspec.convert(msgspec.structs.asdict(each), Person)
            except msgspec.ValidationError as error:
                logger.warning("left out the saved person %s: %s", each.id, error)
                continue
            self._by_id[person.id] = person

    def saved(self) -> list[SavedPerson]:
        """Everyone, for the store."""
        return [
            SavedPerson(id=each.id, name=each.name, role=each.role.value, email=each.email, has_joined=each.has_joined)
            for each in self._by_id.values()
        ]

    def change_role(self, person_id: str, role: Role) -> Person | None:
        """Give a person another role; returns the person as from now on, or None where there is none."""
        person = self._by_id.get(person_id)
        if person is None:
            return None
        changed = self._by_id[person_id] = msgspec.structs.replace(person, role=role)
        return changed

    def rename(self, person_id: str, name: str, email: str) -> Person | None:
        """Give a person another name and e-mail address. Raises VisitorError for values that no person may have."""
        person = self._by_id.get(person_id)
        if person is None:
            return None
        other = self.find_by_email(email)
        if other is not None and other.id != person_id:
            raise VisitorError(Refusal.BAD_MESSAGE, "another person has this e-mail address")
        checked = _checked(person_id, name, person.role, email)
        changed = self._by_id[person_id] = msgspec.structs.replace(person, name=checked.name, email=checked.email)
        return changed

    def receive_joined(self, person_id: str) -> None:
        """A person has come in; does nothing where there is none."""
        person = self._by_id.get(person_id)
        if person is not None:
            self._by_id[person_id] = msgspec.structs.replace(person, has_joined=True)

    def remove(self, person_id: str) -> Person | None:
        """Remove and return a person; None where there is none."""
        return self._by_id.pop(person_id, None)


def _checked(person_id: str, name: str, role: Role, email: str) -> Person:
    if role is Role.PROGRAM:
        raise VisitorError(Refusal.BAD_MESSAGE, "a program is no person: make a token for it")
    fields = {"id": person_id, "name": name.strip(), "role": role, "email": email.lower()}
    try:
        return msgspec.convert(fields, Person)
    except msgspec.ValidationError as error:
        raise VisitorError(Refusal.BAD_MESSAGE, f"no person can have this name or e-mail address: {error}") from error
