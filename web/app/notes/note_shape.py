"""A note or a file in the shape the page shows."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from web5 import Web5
from web5.api.records.record import Record
from web5.dwn.values.cid import message_cid
from web5.dwn.values.timestamps import format_timestamp, microseconds
from web5.errors import StorageError
from web5.sync import Unsettled

TEXT = "https://schema.org/TextDigitalDocument"
"""The schema of notes; what has another one is a file."""

EXCERPT = 4_000
"""Bytes of a note's text that the list carries; the whole text is asked for when it is needed."""

Note = dict[str, Any]


async def shape(web5: Web5, record: Record) -> Note:
    """Return one note."""
    [note] = await listed(web5, [record])
    return note


async def listed(web5: Web5, records: Sequence[Record]) -> list[Note]:
    """Return notes, each with the endpoints that do not have it yet."""
    statuses = web5.sync.status()
    waiting = _waiting(web5, [message_cid(record.raw_message) for record in records])
    endpoints = [one.endpoint for one in statuses if one.endpoint and one.tenant == web5.connected_did]
    found = []
    for record in records:
        waits = waiting.get(message_cid(record.raw_message), []) if waiting else []
        own = await _text(record) if record.schema == TEXT else _file(record)
        found.append({**own, **_about(record, waits, endpoints)})
    return found


def dates(record: Record) -> dict[str, str]:
    """Return when a record was made and changed, as an export has it."""
    return {
        "created": format_timestamp(microseconds(record.date_created)),
        "modified": format_timestamp(microseconds(record.date_modified)),
    }


async def excerpt_of(record: Record) -> tuple[str, bool, bool]:
    """Return the beginning of a record's text, whether that is all of it, and whether it is damaged."""
    excerpt, damaged = b"", False
    try:
        async for chunk in await record.data.stream():
            excerpt += chunk
            if len(excerpt) > EXCERPT:
                break
    except StorageError:
        damaged = True  # the others are shown all the same
    whole = len(excerpt) <= EXCERPT
    # A cut inside a character leaves a broken one at the end: "ignore" drops it. Elsewhere it shows.
    text = excerpt.decode(errors="replace") if whole else excerpt[:EXCERPT].decode(errors="ignore")
    return text, whole and not damaged, damaged


async def _text(record: Record) -> Note:
    from app.notes import markdown

    text, whole, damaged = await excerpt_of(record)
    tags = (record.tags or {}).get("tag", [])
    return {
        "kind": "note",
        "text": text,
        "html": markdown.html_of(text, record.owner),
        "whole": whole,
        "damaged": damaged,
        "tags": [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else [],
    }


def _file(record: Record) -> Note:
    name = str((record.tags or {}).get("name", ""))
    return {
        "kind": "file",
        "text": name,
        "html": f"<p>{escape(name)}</p>",
        "whole": True,
        "damaged": False,
        "tags": [],
        "type": record.data_format or "",
        "size": record.data_size or 0,
        "drl": record.drl,
    }


def _about(record: Record, waiting: list[dict[str, str]], endpoints: Sequence[str]) -> Note:
    published = record.published is True
    return {
        "id": record.id,
        "edited": record.date_modified != record.date_created,  # which may be less than a millisecond later
        "version": format_timestamp(microseconds(record.date_modified)),
        "created": microseconds(record.date_created) // 1000,
        "modified": microseconds(record.date_modified) // 1000,
        "waiting": waiting,
        "published": published,
        "links": _links(record, waiting, endpoints) if published else [],
    }


def _links(record: Record, waiting: Sequence[dict[str, str]], endpoints: Sequence[str]) -> list[str]:
    """Return the addresses at which anybody can read a record that is published; those that have it come first."""
    lacking = {one["endpoint"] for one in waiting}
    first = sorted(endpoints, key=lambda endpoint: endpoint in lacking)
    return [f"{endpoint.rstrip('/')}/{record.owner}/records/{record.id}" for endpoint in first]


def _waiting(web5: Web5, cids: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    """Return the endpoints that do not have a message yet, by its CID; `target`: whose, if somebody else's."""
    found: dict[str, list[dict[str, str]]] = {}
    for entry in unsent(web5, cids):
        state = "early" if (entry.waits_for or "").startswith("time:") else entry.state
        waits = {"endpoint": entry.endpoint, "state": state}
        if entry.target is not None:
            waits["target"] = entry.target
        found.setdefault(entry.message_cid, []).append(waits)
    return found


def unsent(web5: Web5, cids: Sequence[str]) -> list[Unsettled]:
    """Return the entries of these messages that are still to be sent; nothing is looked for where nothing is."""
    statuses = web5.sync.status()
    if not statuses.deliveries and not any(status.pending_out for status in statuses):
        return []
    return [one for one in web5.sync.unsettled(message_cids=cids, limit=None) if one.direction == "push"]
