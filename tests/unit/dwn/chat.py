"""Protocols that the tests configure, and short ways to write under them."""

from __future__ import annotations

import copy
from typing import Any

from tests.unit.dwn.conftest import World
from tests.unit.dwn.persons import Person
from web5.dwn import compose
from web5.dwn.values.types import Message

Status = tuple[int, str]

URI = "https://example.com/chat"

CHAT: Message = {
    "protocol": URI,
    "published": False,
    "types": {
        "thread": {},
        "member": {},
        "post": {"schema": "https://example.com/schemas/post", "dataFormats": ["text/plain", "application/json"]},
        "image": {"dataFormats": ["image/png"]},
    },
    "structure": {
        "thread": {
            "$actions": [
                {"who": "anyone", "can": ["create", "update"]},
                {"role": "thread/member", "can": ["read", "query", "subscribe"]},
            ],
            "member": {"$role": True, "$actions": [{"who": "author", "of": "thread", "can": ["create", "delete"]}]},
            "post": {
                "$actions": [
                    {"who": "recipient", "of": "thread", "can": ["create", "update", "delete"]},
                    {"who": "author", "of": "thread", "can": ["read", "co-delete", "co-prune"]},
                    {"role": "thread/member", "can": ["create", "read", "query", "subscribe", "co-update"]},
                ],
                "image": {
                    "$size": {"min": 2, "max": 10},
                    "$actions": [{"who": "author", "of": "thread/post", "can": ["create"]}],
                },
            },
        }
    },
}
"""Anybody starts a thread; its author takes in members and clears up; its recipient and its members post."""


def chat(**changes: Any) -> Message:
    return {**copy.deepcopy(CHAT), **changes}


def with_actions(*rules: Message, **more: Any) -> Message:
    """A protocol of notes with these action rules, and replies below them."""
    return {
        "protocol": "https://example.com/notes",
        "published": True,
        "types": {"note": {}, "reply": {}},
        "structure": {"note": {"$actions": list(rules), **more} if rules else {**more}},
    }


async def configure(world: World, definition: Message, *, by: Person | None = None, **options: Any) -> Message:
    """A ProtocolsConfigure that was not sent yet."""
    return await compose.protocols_configure((by or world.alice).signer, world.clock, definition=definition, **options)


async def install(world: World, definition: Message) -> Message:
    message = await configure(world, definition)
    assert await world.status(message) == (202, "Accepted")
    return message


async def thread(world: World, *, by: Person | None = None, **options: Any) -> Message:
    return await world.write(by=by, protocol=URI, protocol_path="thread", **options)


async def post_to(world: World, parent: Message, *, by: Person | None = None, **options: Any) -> Message:
    """A post in a thread that was not sent yet."""
    options = {"schema": "https://example.com/schemas/post", "protocol_path": "thread/post", **options}
    return await world.compose(by=by, protocol=URI, parent_context_id=parent["contextId"], **options)


async def member(world: World, parent: Message, who: Person, *, by: Person | None = None) -> Message:
    """Someone becomes a member of a thread."""
    return await world.write(
        by=by,
        protocol=URI,
        protocol_path="thread/member",
        parent_context_id=parent["contextId"],
        recipient=who.did,
    )
