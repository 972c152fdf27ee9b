"""Which messages must keep their order: those of one record, and those that others are built on."""

from __future__ import annotations

from web5.sync.states import Message

ALONE = ""
"""The lane of messages that belong to no record."""


def lane_of(message: Message) -> str:
    """The record that a message belongs to, or `ALONE`."""
    descriptor = message.get("descriptor")
    if not isinstance(descriptor, dict) or descriptor.get("interface") != "Records":
        return ALONE
    lane = message.get("recordId") or descriptor.get("recordId")
    return lane if isinstance(lane, str) else ALONE


def parent_of(message: Message) -> str | None:
    """The record that must be at a node before this message's record can be."""
    parent = message.get("descriptor", {}).get("parentId")
    return parent if isinstance(parent, str) else None


def is_initial(message: Message) -> bool:
    """Whether a message looks like the first of its record: nothing in its record has to be anywhere before it."""
    descriptor = message.get("descriptor", {})
    return "dateCreated" in descriptor and descriptor["dateCreated"] == descriptor.get("messageTimestamp")
