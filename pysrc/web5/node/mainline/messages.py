"""The messages of the DHT that are made or read here: BEP 5's queries and answers, with the fields of BEP 44."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from web5.dids.dht.bep44 import SignedItem
from web5.node.mainline.items import Node

ID_BYTES = 20
TOKEN_LIMIT = 64
"""Bytes; those of nodes have 4 to 20."""

VERSION = b"W5\x00\x01"
"""The client, as BEP 5 has it in `v`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a query.

    Parameters:
        transaction: what the query named itself by.
        body: None: it was an error.
    """

    transaction: bytes
    body: dict[bytes, Any] | None


def put_query(item: SignedItem, node: Node, sender: bytes, transaction: bytes) -> bytes:
    """Return the query by which a node is asked to keep an item (BEP 44).

    Parameters:
        sender: the ID of who asks. It answers no queries itself, and says so (BEP 43).
    """
    arguments = {
        b"id": sender,
        b"k": item.key,
        b"seq": item.seq,
        b"sig": item.signature,
        b"token": node.token,
        b"v": item.value,
    }
    return _encode({b"a": arguments, b"q": b"put", b"ro": 1, b"t": transaction, b"v": VERSION, b"y": b"q"})


def as_answer(message: Any) -> Answer | None:
    """Return the answer in a message that was decoded, or None if it is something else."""
    if not isinstance(message, dict) or not isinstance(transaction := message.get(b"t"), bytes):
        return None
    if message.get(b"y") == b"e":
        return Answer(transaction, None)
    body = message.get(b"r")
    return Answer(transaction, body) if message.get(b"y") == b"r" and isinstance(body, dict) else None


def as_get(message: Any) -> tuple[bytes, bytes, bytes] | None:
    """Return the transaction, the sender's ID and the target of a `get` query, or None if a message is none."""
    if not isinstance(message, dict) or message.get(b"q") != b"get" or not isinstance(message.get(b"a"), dict):
        return None
    transaction, sender, target = message.get(b"t"), message[b"a"].get(b"id"), message[b"a"].get(b"target")
    if isinstance(transaction, bytes) and isinstance(sender, bytes) and isinstance(target, bytes):
        return transaction, sender, target
    return None


def as_node(address: tuple[str, int], body: dict[bytes, Any]) -> Node | None:
    """Return the node that gave this answer to a `get`, or None if it takes no item."""
    id, token = body.get(b"id"), body.get(b"token")
    if not isinstance(id, bytes) or len(id) != ID_BYTES or not isinstance(token, bytes):
        return None
    return Node(id, address, token) if 0 < len(token) <= TOKEN_LIMIT else None


def _encode(value: Any) -> bytes:
    """Return a value in bencode; the keys of a dictionary are in order."""
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    return b"d%se" % b"".join(_encode(key) + _encode(value[key]) for key in sorted(value))
