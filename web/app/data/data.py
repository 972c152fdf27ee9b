"""The records and the messages of the identity in use, in the shape the page shows. Times are milliseconds since 1970.

Nothing that somebody else wrote is handed on without a bound.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal, NamedTuple

from app.notes.note_shape import unsent

from web5 import Record, Web5, strict_json
from web5.api.messages.messages import SignedMessage
from web5.crypto.encoding import b64url_encode
from web5.dwn.values.timestamps import microseconds
from web5.errors import InvalidArgument, NotFound, Web5Error

Cursor = dict[str, Any]
Order = Literal["createdDescending", "createdAscending", "publishedDescending"]
Method = Literal["Write", "Delete", "Configure"]

MOST_ROWS = 200
"""Rows of a page."""

EXCERPT = 2_000
"""Bytes of a record's text that are shown beside its message."""

LONGEST_VALUE = 1_000
"""Characters of one value of a message that are shown."""

MOST_VALUES = 1_000
"""Values of one message that are shown."""

MOST_EXPORTED = 10_000_000
"""Bytes of a record's data that go into the file of one message."""

LISTED = 120
"""Characters of a text that are shown in a list."""

MOST_INLINE = 30_000
"""Bytes of data that a DWN gives with the answer to a query."""

QUICK = 1_000_000
"""Bytes of a record's data that are verified without being asked for."""

_REFUSED = ("refused", "blocked", "displaced")
_TEXTS = ("text/", "application/json")


async def records(
    web5: Web5, *, order: Order, protocol: str | None, published: bool | None, cursor: Cursor | None, limit: int
) -> dict[str, Any]:
    """Return a page of the records, and the cursor of the next."""
    page = await web5.dwn.records.query(
        protocol=protocol, published=published, date_sort=order, cursor=cursor, limit=min(limit, MOST_ROWS)
    )
    waiting, names = waiting_of(web5, [record.message_cid for record in page]), _names(web5)
    return {"rows": [await _row(record, waiting, names) for record in page], "cursor": page.cursor}


async def messages(
    web5: Web5, *, method: Method | None, newest_first: bool, cursor: Cursor | None, limit: int
) -> dict[str, Any]:
    """Return a page of the messages in the order in which they came here, and the cursor of the next."""
    page = await web5.dwn.messages.query(
        method=method, newest_first=newest_first, cursor=cursor, limit=min(limit, MOST_ROWS)
    )
    waiting, names = waiting_of(web5, [message.cid for message in page]), _names(web5)
    return {"rows": [_message_row(message, waiting, names) for message in page], "cursor": page.cursor}


async def message(web5: Web5, cid: str) -> dict[str, Any]:
    """Return everything about one message: what it says, who signed it, on which nodes it is.

    Raises:
        NotFound: it is not here.
    """
    found = await web5.dwn.messages.read(cid)
    record_id = found.record_id
    others = [] if record_id is None else await web5.dwn.messages.of_record(record_id)
    newest = bool(others) and others[-1] == found and found.method == "Write"
    descriptor = found.raw_message["descriptor"]
    names = _names(web5)
    text, value = await _text(web5, record_id) if newest and record_id is not None else (None, None)
    return {
        **_message_row(found, waiting_of(web5, [cid]), names),
        "record": record_id,
        "signer": _person(found.signer, names),
        "to": _person(descriptor["recipient"], names) if "recipient" in descriptor else None,
        "newest": newest,
        "deleted": bool(others) and others[-1].method == "Delete",
        "others": [
            {"cid": one.cid, "method": one.method, "date": microseconds(one.date) // 1000}
            for one in others
            if one != found
        ],
        "places": places(web5, cid),
        "parts": parts(found, value),
        "text": text,
    }


async def verify(web5: Web5, cid: str, *, data: bool) -> list[dict[str, str]]:
    """Check a message; its data only if they are few, or if that is asked for."""
    found = await web5.dwn.messages.read(cid)
    size = found.raw_message["descriptor"].get("dataSize", 0)
    checked = await found.verify(data=data or size <= QUICK)
    checks = [{"subject": one.subject, "state": one.state, "detail": one.detail} for one in checked.checks]
    if size > QUICK and not data:
        checks.append({"subject": "data", "state": "large", "detail": ""})
    return checks


async def exported(web5: Web5, cid: str) -> str:
    """Return a message as the text of a JSON file, with its data as `encodedData` where they are here.

    Raises:
        InvalidArgument: the data are too large for that.
    """
    found = await web5.dwn.messages.read(cid)
    if found.raw_message["descriptor"].get("dataSize", 0) > MOST_EXPORTED:
        raise InvalidArgument("This is too large for one file. Export the identity with everything instead.")
    encoded: dict[str, str] = {}
    with suppress(Web5Error):  # an older one has none
        encoded = {"encodedData": b64url_encode(b"".join([chunk async for chunk in await found.data()]))}
    return json.dumps({**found.raw_message, **encoded}, indent=2, ensure_ascii=False)


async def delete(web5: Web5, record_id: str) -> None:
    """Delete a record, here and by sync elsewhere; one that is not here is no error."""
    with suppress(NotFound):
        await web5.dwn.records.delete(record_id)


def waiting_of(web5: Web5, cids: Sequence[str]) -> dict[str, str]:
    """Return the messages that some node does not have yet: "waiting", or "refused" by one."""
    found: dict[str, str] = {}
    for entry in unsent(web5, cids):
        found[entry.message_cid] = "refused" if entry.state in _REFUSED else found.get(entry.message_cid, "waiting")
    return found


def places(web5: Web5, cid: str) -> list[dict[str, str]]:
    """Return each node of the identity, and whether it has a message, as far as this browser knows."""
    unsettled = {entry.endpoint: entry for entry in unsent(web5, [cid]) if entry.target is None}
    found = []
    for status in web5.sync.status():
        if status.endpoint and status.tenant == web5.connected_did:
            entry = unsettled.get(status.endpoint)
            state = "there" if status.last_success is not None else "unknown"
            if entry is not None:
                state = "refused" if entry.state in _REFUSED else "waiting"
            detail = "" if entry is None else entry.detail[:LONGEST_VALUE]
            found.append({"endpoint": status.endpoint, "state": state, "detail": detail})
    return found


def parts(found: SignedMessage, value: Any = None) -> list[list[Any]]:
    """Return a message as nested lists of [name, value], with what each signature signs in the clear.

    Parameters:
        value: what its data say, where they are a list or an object of JSON.
    """
    left = [MOST_VALUES]
    try:
        signed = [
            {"role": one.role, "key": one.key_id, "algorithm": one.algorithm, "signs": one.payload}
            for one in found.signatures
        ]
    except Web5Error:
        signed = []
    data = {} if value is None else {"data": value}
    return _parts({**data, "signed by": signed, **found.raw_message}, left)


def _parts(value: Mapping[str, Any] | Sequence[Any], left: list[int]) -> list[list[Any]]:
    named = value.items() if isinstance(value, Mapping) else ((str(at + 1), one) for at, one in enumerate(value))
    found: list[list[Any]] = []
    for name, one in named:
        if left[0] <= 0:
            found.append(["…", "there is more in the file"])
            break
        left[0] -= 1
        nested = isinstance(one, (dict, list))
        found.append([name[:LONGEST_VALUE], _parts(one, left) if nested else _value(one)])
    return found


def _value(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"


async def _row(record: Record, waiting: Mapping[str, str], names: _Names) -> dict[str, Any]:
    cid = record.message_cid
    return {
        "cid": cid,
        "kind": "RecordsWrite",
        "excerpt": await _beginning(record),
        **_described(record.raw_message["descriptor"]),
        "encrypted": record.encrypted,
        "author": _person(record.author, names),
        "date": microseconds(record.date_modified) // 1000,
        "waiting": waiting.get(cid, ""),
    }


def _message_row(found: SignedMessage, waiting: Mapping[str, str], names: _Names) -> dict[str, Any]:
    return {
        "cid": found.cid,
        "kind": found.interface + found.method,
        "excerpt": "",
        **_described(found.raw_message["descriptor"]),
        "protocol": (found.protocol or "")[:LONGEST_VALUE],
        "encrypted": "encryption" in found.raw_message,
        "author": _person(found.author, names),
        "date": microseconds(found.date) // 1000,
        "waiting": waiting.get(found.cid, ""),
    }


def _described(descriptor: Mapping[str, Any]) -> dict[str, Any]:
    texts = {name: str(descriptor.get(wire, ""))[:LONGEST_VALUE] for name, wire in _NAMES.items()}
    return {**texts, "size": descriptor.get("dataSize"), "published": bool(descriptor.get("published"))}


_NAMES = {"schema": "schema", "format": "dataFormat", "path": "protocolPath", "protocol": "protocol"}


class _Names(NamedTuple):
    """The names of this person's identities, and the one in use."""

    by_did: Mapping[str, str]
    me: str


def _names(web5: Web5) -> _Names:
    own = {one.did: one.name for one in web5.identities.list() if one.connected_did is None}
    return _Names(own, web5.connected_did)


def _person(did: str, names: _Names) -> dict[str, Any]:
    """Return who somebody is, by the name of an identity of this person's where it is one."""
    return {"did": did[:2048], "name": names.by_did.get(did, ""), "me": did == names.me}


async def _beginning(record: Record) -> str:
    """Return the first words of a text that lies with its message in the clear."""
    if record.encrypted or (record.data_size or 0) > MOST_INLINE or not (record.data_format or "").startswith("text/"):
        return ""
    try:
        return " ".join((await record.data.text())[:LISTED].split())
    except Web5Error:
        return ""


async def _text(web5: Web5, record_id: str) -> tuple[str | None, Any]:
    """Return the beginning of a record's text, decrypted, or what its JSON says; neither if it cannot be read here."""
    text = b""
    try:
        record = await web5.dwn.records.read(record_id)
        if not (record.data_format or "").startswith(_TEXTS):
            return None, None
        is_json = record.data_format == "application/json"
        async for chunk in await record.data.stream():
            text += chunk
            if len(text) > (MOST_INLINE if is_json else EXCERPT):
                break
    except Web5Error:
        return None, None
    if is_json and len(text) <= MOST_INLINE:
        with suppress(ValueError):
            value = strict_json.parse(text.decode())
            if isinstance(value, (dict, list)):
                return None, value
    return text[:EXCERPT].decode(errors="ignore") + ("…" if len(text) > EXCERPT else ""), None
