"""`/api/v1/room`: the room's curtain, microphone, answers to people and quiet hours; for who may speak for the room."""

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get, post, put
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath

from belvedere.access.rights import Role
from belvedere.errors import Refusal, VisitorError
from belvedere.gateway.codec import JSON, decode_strictly, read_json
from belvedere.gateway.dependencies import Dependencies, InjectedDependencies, InjectedVisitor
from belvedere.gateway.messages import Room
from belvedere.gateway.openapi import operation_with_body, problems
from belvedere.gateway.room_messages import access_message, curtain_view, microphone_view, room_message
from belvedere.gateway.room_parts import CurtainView, MicrophoneView
from belvedere.privacy.hours import MAX_SPANS, QuietSpan, Weekday
from belvedere.privacy.words import AccessState, Answer, Welcome

PATH: Final = "/api/v1/room"
HOUR: Final = 60
CLOCK_TIME: Final = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"

ClockTime = Annotated[str, msgspec.Meta(pattern=CLOCK_TIME)]


class _Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a request says."""


class CurtainBody(_Body, frozen=True, kw_only=True):
    """Whether the curtain is to be closed."""

    closed: bool


class MicrophoneBody(_Body, frozen=True, kw_only=True):
    """Whether the room's microphone is to be off."""

    off: bool


class GuestsBody(_Body, frozen=True, kw_only=True):
    """Whether guests may hear the room. They never talk."""

    hear: bool


class AnswerBody(_Body, frozen=True, kw_only=True):
    """`yes` for this visit (also in quiet hours), `always`, or `no`, which ends the visit of a person who is in."""

    answer: Answer


class WelcomeBody(_Body, frozen=True, kw_only=True):
    """`always`, or `asked`: the person has to knock."""

    welcome: Welcome


class Hours(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Quiet hours that begin on a weekday (0 is Monday), by the house's local time: `22:00` until `07:00`.

    They end on the next day unless `until` is later than `from`.
    """

    weekday: Weekday
    begin: ClockTime = msgspec.field(name="from")
    end: ClockTime = msgspec.field(name="until")


class HoursBody(_Body, frozen=True, kw_only=True):
    """All quiet hours, in place of those before; at most 28."""

    hours: Annotated[list[Hours], msgspec.Meta(max_length=MAX_SPANS)]


class PersonView(msgspec.Struct, frozen=True, kw_only=True):
    """A person or a program that may come in, and what the room says to that.

    Attributes:
        welcome: `always`, or `asked`: the person has to knock.
        state: as in the message `access`.
        until: likewise.
    """

    person: str
    name: str
    role: Role
    welcome: Welcome
    state: AccessState
    until: float | None


class RoomView(msgspec.Struct, frozen=True, kw_only=True):
    """The room's rules: what the message `room` says, everybody, the quiet hours, and whether guests hear the room."""

    room: Room
    people: list[PersonView]
    hours: list[Hours]
    guests_hear: bool


_CURTAIN: msgspec.json.Decoder[CurtainBody] = msgspec.json.Decoder(CurtainBody)
_MICROPHONE: msgspec.json.Decoder[MicrophoneBody] = msgspec.json.Decoder(MicrophoneBody)
_GUESTS: msgspec.json.Decoder[GuestsBody] = msgspec.json.Decoder(GuestsBody)
_ANSWER: msgspec.json.Decoder[AnswerBody] = msgspec.json.Decoder(AnswerBody)
_WELCOME: msgspec.json.Decoder[WelcomeBody] = msgspec.json.Decoder(WelcomeBody)
_HOURS: msgspec.json.Decoder[HoursBody] = msgspec.json.Decoder(HoursBody)


def _schema(**properties: Schema) -> Schema:
    return Schema(
        type=OpenAPIType.OBJECT, properties={**properties}, required=list(properties), additional_properties=False
    )


_BOOLEAN = Schema(type=OpenAPIType.BOOLEAN)
_TIME = Schema(type=OpenAPIType.STRING, pattern=CLOCK_TIME)
_DAY = Schema(type=OpenAPIType.INTEGER, minimum=0, maximum=6)
_SPAN = _schema(weekday=_DAY, **{"from": _TIME, "until": _TIME})
_SPANS = Schema(type=OpenAPIType.ARRAY, items=_SPAN, max_items=MAX_SPANS)


def _words(words: type[Answer] | type[Welcome]) -> Schema:
    return Schema(type=OpenAPIType.STRING, enum=[word.value for word in words])


@get(PATH, responses=problems(401, 403))
async def view(dependencies: InjectedDependencies) -> RoomView:
    """The room's rules, and who is here."""
    return _view(dependencies)


@put(
    f"{PATH}/curtain",
    status_code=200,
    operation_class=operation_with_body(JSON, _schema(closed=_BOOLEAN), str(CurtainBody.__doc__)),
    responses=problems(400, 401, 403, 408, 413, 415, 503),
)
async def curtain(
    request: Request[Any, Any, Any], dependencies: InjectedDependencies, visitor: InjectedVisitor
) -> CurtainView:
    """Close or open the curtain. It closes at once, also where that cannot be saved: then `saved` is false.

    It opens once that is saved; a 503 says that it stays closed.
    """
    wanted = decode_strictly(_CURTAIN, await read_json(request, dependencies, visitor))
    room = dependencies.room
    await room.saved(room.receive_curtain(visitor.person, is_closed=wanted.closed))
    if room.rules.is_closed and not wanted.closed:
        raise VisitorError(Refusal.NOT_READY, "the curtain stays closed, because its opening could not be saved")
    return curtain_view(room, dependencies.invitations.people)


@put(
    f"{PATH}/microphone",
    status_code=200,
    operation_class=operation_with_body(JSON, _schema(off=_BOOLEAN), str(MicrophoneBody.__doc__)),
    responses=problems(400, 401, 403, 408, 413, 415, 503),
)
async def microphone(
    request: Request[Any, Any, Any], dependencies: InjectedDependencies, visitor: InjectedVisitor
) -> MicrophoneView:
    """Switch the room's microphone off or on. It is off at once, also where that cannot be saved: `saved` is false.

    It is on once that is saved; a 503 says that it stays off.
    """
    wanted = decode_strictly(_MICROPHONE, await read_json(request, dependencies, visitor))
    room = dependencies.room
    await room.saved(room.receive_microphone(visitor.person, is_off=wanted.off))
    if room.rules.state.is_muted and not wanted.off:
        raise VisitorError(Refusal.NOT_READY, "the microphone stays off, because switching it on could not be saved")
    return microphone_view(room, dependencies.voice)


@put(
    f"{PATH}/guests",
    status_code=200,
    operation_class=operation_with_body(JSON, _schema(hear=_BOOLEAN), str(GuestsBody.__doc__)),
    responses=problems(400, 401, 403, 408, 413, 415, 503),
)
async def guests(
    request: Request[Any, Any, Any], dependencies: InjectedDependencies, visitor: InjectedVisitor
) -> RoomView:
    """Say whether guests may hear the room."""
    wanted = decode_strictly(_GUESTS, await read_json(request, dependencies, visitor))
    return await _saved(dependencies, dependencies.room.receive_guests(may_hear=wanted.hear))


@post(
    f"{PATH}/knocks/{{person:str}}",
    status_code=200,
    operation_class=operation_with_body(JSON, _schema(answer=_words(Answer)), str(AnswerBody.__doc__)),
    responses=problems(400, 401, 403, 408, 413, 415, 503),
)
async def answer(
    request: Request[Any, Any, Any],
    person: FromPath[str],
    dependencies: InjectedDependencies,
    visitor: InjectedVisitor,
) -> RoomView:
    """Let a person in, or send the person away, whether the person knocks or not."""
    wanted = decode_strictly(_ANSWER, await read_json(request, dependencies, visitor))
    return await _saved(dependencies, dependencies.room.receive_answer(person, wanted.answer))


@put(
    f"{PATH}/welcome/{{person:str}}",
    status_code=200,
    operation_class=operation_with_body(JSON, _schema(welcome=_words(Welcome)), str(WelcomeBody.__doc__)),
    responses=problems(400, 401, 403, 408, 413, 415, 503),
)
async def welcome(
    request: Request[Any, Any, Any],
    person: FromPath[str],
    dependencies: InjectedDependencies,
    visitor: InjectedVisitor,
) -> RoomView:
    """Say whether a person has to knock."""
    wanted = decode_strictly(_WELCOME, await read_json(request, dependencies, visitor))
    return await _saved(dependencies, dependencies.room.receive_welcome(person, wanted.welcome))


@put(
    f"{PATH}/hours",
    status_code=200,
    operation_class=operation_with_body(JSON, _schema(hours=_SPANS), str(HoursBody.__doc__)),
    responses=problems(400, 401, 403, 408, 413, 415, 503),
)
async def hours(
    request: Request[Any, Any, Any], dependencies: InjectedDependencies, visitor: InjectedVisitor
) -> RoomView:
    """Set the quiet hours."""
    wanted = decode_strictly(_HOURS, await read_json(request, dependencies, visitor))
    spans = [QuietSpan(each.weekday, _minute(each.begin), _minute(each.end)) for each in wanted.hours]
    return await _saved(dependencies, dependencies.room.receive_quiet(spans))


async def _saved(dependencies: Dependencies, number: int) -> RoomView:
    """The rules once the disk has taken a decision, or not: `room.curtain.saved` and `room.faults` say which."""
    await dependencies.room.saved(number)
    return _view(dependencies)


def _view(dependencies: Dependencies) -> RoomView:
    people = [(each.id, each.name, each.role) for each in dependencies.invitations.people.all()]
    programs = [(each.person, each.person, each.role) for each in dependencies.invitations.programs.all()]
    spans = dependencies.room.rules.state.quiet
    return RoomView(
        room=room_message(dependencies.room, dependencies.voice, dependencies.invitations.people),
        people=[_person_view(dependencies, *each) for each in (*people, *programs)],
        guests_hear=dependencies.room.rules.state.guests_hear,
        hours=[
            Hours(weekday=each.weekday, begin=_clock(each.from_minute), end=_clock(each.until_minute)) for each in spans
        ],
    )


def _person_view(dependencies: Dependencies, person: str, name: str, role: Role) -> PersonView:
    room = dependencies.room
    access = access_message(room.access_of_person(person), frozenset())
    return PersonView(
        person=person,
        name=name,
        role=role,
        welcome=room.rules.welcome_of(person),
        state=access.state,
        until=access.until,
    )


def _minute(clock_time: str) -> int:
    hour, minute = clock_time.split(":")
    return int(hour) * HOUR + int(minute)


def _clock(minute: int) -> str:
    return f"{minute // HOUR:02}:{minute % HOUR:02}"


ROUTES = (view, curtain, microphone, guests, answer, welcome, hours)
