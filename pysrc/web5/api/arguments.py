"""Checks of what an app passes: a bad argument is refused before anything happens, by its name, with the way out."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from web5.dids.uri import parse_did
from web5.dwn.values.timestamps import format_timestamp, is_moment, microseconds, moment_of, parse_timestamp
from web5.errors import InvalidArgument

Moment = datetime | str
"""A date that an app gives: with a time zone, or as the wire has it."""

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C", bound=str)
F = TypeVar("F", bound=Callable[..., object] | None)

_SHOWN = 100


def keywords(function: Callable[P, T]) -> Callable[P, T]:
    """Have a function refuse a keyword that it does not have with InvalidArgument, and name the nearest."""
    names = frozenset(inspect.signature(function).parameters) - {"self", "cls"}

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        if unknown := kwargs.keys() - names:
            raise unknown_name("argument", min(unknown), sorted(names), of=f"{function.__name__}()")
        return function(*args, **kwargs)

    return checked


def unknown_name(what: str, name: str, known: Collection[str], *, of: str = "") -> InvalidArgument:
    """Return the error for a name that does not exist, with the nearest one that does."""
    from difflib import get_close_matches  # a start has no use for it

    near = get_close_matches(name, known, 1, 0.6)
    way_out = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}."
    has = f"{of} has no" if of else "There is no"
    return InvalidArgument(f"{has} {what} {name!r}; {way_out}")


def choice(what: str, value: C, known: Collection[str]) -> C:
    """Return one of a few words.

    Raises:
        InvalidArgument: it is none of them, with the nearest.
    """
    if isinstance(value, str) and value in known:
        return value
    raise unknown_name(what, value if isinstance(value, str) else shown(value), known)


def callback(name: str, value: F) -> F:
    """Return a callback that is called without being awaited; None for None.

    Raises:
        InvalidArgument: it cannot be called, or is `async def`.
    """
    if value is None or (callable(value) and not inspect.iscoroutinefunction(value)):
        return value
    raise InvalidArgument(f"{name}={shown(value)} has to be a function, not `async def`.")


def text(name: str, value: object) -> str:
    """Return a text that UTF-8 can hold.

    Raises:
        InvalidArgument: it is no text, or has half of a surrogate pair.
    """
    if not isinstance(value, str):
        raise InvalidArgument(f"{name}={shown(value)} has to be a str, not {type(value).__name__}.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgument(
            f"{name}={shown(value)} has half of a surrogate pair at {error.start}, which UTF-8 cannot hold."
        ) from error
    return value


def text_or_none(name: str, value: object) -> str | None:
    """Return a text, or None for None."""
    return None if value is None else text(name, value)


def texts(name: str, value: object) -> list[str]:
    """Return texts given as a list or tuple; a single one is a mistake."""
    if isinstance(value, str) or not isinstance(value, Sequence | set | frozenset):
        raise InvalidArgument(f"{name}={shown(value)} has to be a list of texts: {name}=[{shown(value)}].")
    return [text(name, one) for one in value]


def did(name: str, value: object) -> str:
    """Return a DID.

    Raises:
        InvalidArgument: it is none, or a DID URL.
    """
    given = text(name, value)
    parsed = parse_did(given)
    if parsed is not None and parsed.uri == given:
        return given
    if parsed is not None:
        raise InvalidArgument(f"{name}={shown(given)} is a DID URL; leave out what follows {parsed.uri}.")
    raise InvalidArgument(f"{name}={shown(given)} is no DID, such as did:dht:….")


def did_or_none(name: str, value: object) -> str | None:
    """Return a DID, or None for None."""
    return None if value is None else did(name, value)


def date(name: str, value: Moment | None) -> str | None:
    """Return a date as the wire has it; None for None.

    Raises:
        InvalidArgument: it has no time zone, or there is no such moment.
    """
    if value is None:
        return None
    if isinstance(value, datetime):
        if value.tzinfo is None or value.utcoffset() is None:
            raise InvalidArgument(
                f"{name}={value!r} has no time zone, so it is no moment: give one, as in datetime.now(UTC)."
            )
        return format_timestamp(microseconds(value))
    given = text(name, value)
    if len(given) == 27 and given.endswith("Z") and is_moment(given):
        return given
    raise InvalidArgument(f"{name}={shown(given)} is no date: give a datetime with a time zone.")


def end(name: str, value: Moment | timedelta, now: int) -> str:
    """Return a date that may be given as a span from now on, as the wire has it.

    Parameters:
        now: microseconds since 1970.
    """
    if isinstance(value, timedelta):
        return format_timestamp(now + value // timedelta(microseconds=1))
    found = date(name, value)
    if found is None:
        raise InvalidArgument(f"{name} is missing: give a datetime with a time zone, or a timedelta from now on.")
    return found


def moment(wire: str) -> datetime:
    """Return a date of the wire as a datetime in UTC; one that datetime cannot hold is the nearest that it can."""
    try:
        return datetime.fromisoformat(wire)
    except ValueError:
        pass
    return moment_of(parse_timestamp(wire))


def moment_or_none(wire: str | None) -> datetime | None:
    """Return a date of the wire as a datetime in UTC; None for None."""
    return None if wire is None else moment(wire)


def tags(value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return tags whose names and values a record can have; None for none of them.

    Raises:
        InvalidArgument: one cannot be a tag.
    """
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise InvalidArgument(f"tags={shown(value)} has to be a mapping of names to values.")
    return {text("a tag's name", name): _tag(name, one) for name, one in value.items()} or None


def _tag(name: str, value: object) -> object:
    if isinstance(value, str):
        return text(f"tags[{name!r}]", value)
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, Iterable) and not isinstance(value, Mapping | bytes):
        values = list(value)
        if values and all(isinstance(one, str) for one in values):
            return [text(f"tags[{name!r}]", one) for one in values]
        if values and all(isinstance(one, int | float) and not isinstance(one, bool) for one in values):
            return values
    raise InvalidArgument(
        f"tags[{name!r}]={shown(value)} cannot be a tag: give a text, a number, a bool, or a list of texts or numbers."
    )


def positive(name: str, value: int | None) -> int | None:
    """Return a number from 1 on; None for None."""
    if value is None or (type(value) is int and value > 0):
        return value
    raise InvalidArgument(f"{name}={shown(value)} has to be a whole number from 1 on, or left out.")


def shown(value: object) -> str:
    """Return a value in the way of `repr`, cut where it is long."""
    said = repr(value)
    return said if len(said) <= _SHOWN else said[:_SHOWN] + "…"
