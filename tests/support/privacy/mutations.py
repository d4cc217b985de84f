"""Ways in which the room's rules could be wrong: each is one edit of their source that random lives must detect."""

from __future__ import annotations

import importlib.util
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from belvedere import privacy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from belvedere.privacy.core import Privacy

ORDER = ("state", "visitor", "core")  # each may import those before it


@dataclass(frozen=True)
class Mutation:
    """In `module` of `belvedere.privacy`, `old` becomes `new` where it occurs first."""

    name: str
    module: str
    old: str
    new: str = ""


MUTATIONS = (
    # the curtain
    Mutation(
        "closing does not withhold",
        "core",
        "[Withhold(), Cut(), *parking, Tell()]",
        "[Cut(), *parking, Tell()]",
    ),
    Mutation(
        "closing does not cut",
        "core",
        "[Withhold(), Cut(), *parking, Tell()]",
        "[Withhold(), *parking, Tell()]",
    ),
    Mutation(
        "closing waits for the disk",
        "core",
        "for unsaved in self._unsaved.values():",
        "for unsaved in ():",
    ),
    Mutation(
        "opening does not wait for the disk",
        "core",
        "        state = self._base\n        for unsaved in self._unsaved.values():",
        "        state = self._wanted\n        for unsaved in ():",
    ),
    Mutation(
        "a curtain is closed until both states are",
        "state",
        "other.is_closed and not self.is_closed",
        "False",
    ),
    Mutation(
        "a failed save permits what it would have",
        "core",
        "self._base = self._wanted = self._in_force()",
    ),
    Mutation(
        "what waited with a failed save is permitted later",
        "core",
        "        self._unsaved.clear()\n",
    ),
    Mutation(
        "a failed save is forgotten",
        "core",
        "        self._faults.add(Fault.STORE)\n",
    ),
    Mutation(
        "a failed save is not tried again",
        "core",
        "        if at.now >= self._save_again_at:\n            self._save()\n",
    ),
    Mutation(
        "an unreadable store opens",
        "core",
        "self._wanted, is_closed=True, is_muted=True)",
        "self._wanted, is_closed=False, is_muted=True)",
    ),
    Mutation(
        "a tap before the store is read is forgotten",
        "core",
        "self._wanted if self._wanted.is_closed and not before.is_closed else before",
        "before",
    ),
    Mutation(
        "a restart opens",
        "core",
        "before = saved or RoomState()",
        "before = RoomState()",
    ),
    Mutation(
        "any save opens",
        "core",
        "        self._base = state\n",
        "        self._base = self._wanted\n",
    ),
    Mutation(
        "an opened curtain stays covered",
        "core",
        "self._effects += [Uncover(), Withhold(), Tell()]",
        "pass",
    ),
    Mutation(
        "what is wanted is not saved",
        "core",
        "self._unsaved[self._number] = self._wanted",
        "pass",
    ),
    Mutation(
        "closing is not saved",
        "core",
        "is_closed=is_closed, by=by",
        "is_closed=False, by=by",
    ),
    # the microphone
    Mutation(
        "switching the microphone off ends nothing",
        "core",
        "        self._changed()\n        self._settle(at)\n        return self._number\n\n    def receive_guests",
        "        self._settle(at)\n        return self._number\n\n    def receive_guests",
    ),
    Mutation(
        "the microphone is never switched off",
        "core",
        "            self._want(msgspec.structs.replace(self._wanted, is_muted=is_off))\n",
        "            pass\n",
    ),
    Mutation(
        "the microphone is on before that is saved",
        "state",
        "self.is_muted or other.is_muted",
        "other.is_muted",
    ),
    Mutation(
        "the microphone is off once that is saved",
        "state",
        "self.is_muted or other.is_muted",
        "self.is_muted",
    ),
    Mutation(
        "an unreadable store switches the microphone on",
        "core",
        "is_closed=True, is_muted=True)",
        "is_closed=True)",
    ),
    Mutation(
        "a microphone that is switched off before the store is read is forgotten",
        "core",
        "before.is_muted or self._wanted.is_muted",
        "before.is_muted",
    ),
    Mutation(
        "a restart switches the microphone on",
        "core",
        "before.is_muted or self._wanted.is_muted",
        "self._wanted.is_muted",
    ),
    Mutation(
        "a microphone that is off is heard",
        "core",
        "if state.is_muted or (",
        "if (",
    ),
    Mutation(
        "who may not look hears the room",
        "core",
        "return self.access_of(at, person).state is AccessState.OPEN",
        "return True",
    ),
    Mutation(
        "guests hear the room",
        "core",
        "(is_guest and not state.guests_hear)",
        "False",
    ),
    Mutation(
        "guests hear the room before that is saved",
        "state",
        "self.guests_hear and other.guests_hear",
        "other.guests_hear",
    ),
    Mutation(
        "guests who may not hear any more do until that is saved",
        "state",
        "self.guests_hear and other.guests_hear",
        "self.guests_hear",
    ),
    Mutation(
        "guests who may not hear any more go on",
        "core",
        "guests_hear=may_hear))\n        self._changed()\n",
        "guests_hear=may_hear))\n",
    ),
    # visits and quiet hours
    Mutation(
        "nothing ends visits",
        "core",
        "            visitor.end_visit()\n",
        "            pass\n",
    ),
    Mutation(
        "quiet hours do not end visits",
        "core",
        "            if is_quiet:\n                self._end_visits()\n",
    ),
    Mutation(
        "quiet hours begin unheard",
        "core",
        "                self._end_visits()\n            self._changed()\n",
        "                self._end_visits()\n",
    ),
    Mutation(
        "quiet hours bind nobody",
        "core",
        "if quiet_utc_s is not None:",
        "if False:",
    ),
    Mutation(
        "quiet hours bind those who are let in",
        "core",
        "if visitor is not None and visitor.is_let_in:",
        "if False:",
    ),
    Mutation(
        "new hours count once they are saved",
        "state",
        "{*self.quiet, *other.quiet}",
        "self.quiet",
    ),
    Mutation(
        "a new welcome counts before it is saved",
        "state",
        "if Welcome.ASKED in {self.welcome_of(person, default), other.welcome_of(person, default)}",
        "if other.welcome_of(person, default) is Welcome.ASKED",
    ),
    Mutation(
        "everybody is welcome",
        "core",
        "OPEN if self.welcome_of(person) is Welcome.ALWAYS",
        "OPEN if True",
    ),
    Mutation(
        "nobody is asked first",
        "core",
        "Welcome.ASKED if ask_first else Welcome.ALWAYS",
        "Welcome.ALWAYS",
    ),
    Mutation(
        "a no is heard by nobody",
        "core",
        "            visitor.refuse(at)\n        else",
        "            pass\n        else",
    ),
    Mutation(
        "a no ends no visit",
        "core",
        "            visitor.let_in(at, is_here=person in self._here)\n        self._changed()",
        "            visitor.let_in(at, is_here=person in self._here)",
    ),
    Mutation(
        "an answer to one is for all",
        "core",
        "self._visitors.setdefault(person, Visitor())\n        if visitor.knocked",
        "self._visitors.setdefault(min(self._visitors, default=person), Visitor())\n        if visitor.knocked",
    ),
    Mutation(
        "a yes behind the curtain counts later",
        "core",
        "        if answer is not Answer.NO:\n            self._require_open()\n",
    ),
    Mutation(
        "silence is a yes",
        "visitor",
        "            self.refuse(at)\n        else:",
        "            self.let_in(at, is_here=False)\n        else:",
    ),
    Mutation(
        "silence lasts",
        "visitor",
        "self._reset(at.now + KNOCK_TIMEOUT_S)",
        "self._reset(math.inf)",
    ),
    Mutation(
        "a refusal is short",
        "visitor",
        "self._reset(at.now + ASK_AGAIN_S)",
        "self._reset(at.now + 1)",
    ),
    Mutation(
        "a visit does not end when the person leaves",
        "visitor",
        "min(self._ends_at, at.now + VISIT_GRACE_S)",
        "math.inf",
    ),
    Mutation(
        "a visit ends though the person is here",
        "visitor",
        "self._ends_at = math.inf if is_here else min",
        "self._ends_at = min",
    ),
    Mutation(
        "the end of visits forgets who is let in",
        "visitor",
        "        if self.refused_utc_s is None:\n            self._reset(math.inf)",
        "        if self.knocked_utc_s is not None:\n            self._reset(math.inf)",
    ),
    Mutation(
        "the deadline leaves out the visitors",
        "core",
        ", *visitors)",
        ")",
    ),
    Mutation(
        "the deadline leaves out the hours",
        "core",
        "at.now + minutes * 60, ",
    ),
)


@contextmanager
def mutated(mutation: Mutation | None) -> Iterator[type[Privacy]]:
    """The rules with this edit, built from their source; the modules that everything else uses stay as they are."""
    names = {name: f"{privacy.__name__}.{name}" for name in ORDER}
    before = {name: sys.modules[name] for name in names.values()}
    try:
        for name in ORDER:
            edit = mutation if mutation is not None and mutation.module == name else None
            _load(names[name], before[names[name]], edit)
        rules: type[Privacy] = sys.modules[names["core"]].Privacy
        yield rules
    finally:
        sys.modules.update(before)


def _load(name: str, original: ModuleType, mutation: Mutation | None) -> None:
    spec = original.__spec__
    assert spec is not None
    assert spec.origin is not None
    source = Path(spec.origin).read_text(encoding="utf-8")
    if mutation is not None:
        assert mutation.old in source, f"not found in the source: {mutation.name}"
        source = source.replace(mutation.old, mutation.new, 1)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    exec(compile(source, spec.origin, "exec"), module.__dict__)  # noqa: S102 - our own source
