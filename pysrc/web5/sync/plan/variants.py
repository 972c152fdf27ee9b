"""Variants: messages that anybody can make of a signed one, with the same content under another CID; pure.

Some nodes, the reference among them, take what nobody has signed beside a message, and take a variant whose CID is the
higher for the newer message. One of an initial write that comes without its data then has the record found no more;
one with an encryption that is none has it read no more. Here no variant is taken or passed on; what it was made of can
be told from it, and a node that was deceived by one is given a newer write.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from web5.dwn.signatures.jws import payload_of
from web5.dwn.values.cid import message_cid
from web5.dwn.values.types import Message
from web5.dwn.wire.rpc import method_of
from web5.errors import BadRequest, InvalidArgument
from web5.sync.plan.policy import SLOWLY, Outcome
from web5.sync.states import State

VARIANT = Outcome("a variant of what is held", None)

DISPLACED = Outcome(
    "displaced by a variant",
    State.DISPLACED,
    SLOWLY,
    code=409,
    detail="RecordDisplaced: the node has something else in the place of this message, or nothing that it shows",
)
"""The outcome of a message that a node says to hold, or did hold, where it does not give it any more."""

HELD = Outcome("already there, or newer there", None, code=409)

_COVERED = {"attestation": "attestationCid", "encryption": "encryptionCid"}
"""The parts of a RecordsWrite beside the descriptor, with the members of the signed payload that cover them."""

_JWS = ("signature", "ownerSignature")
_OF_ENTRIES = ("protected", "signature")


def original(message: Message) -> Message:
    """Return a message without what nobody has signed in it: itself, or what a stranger made a variant of."""
    try:
        added = [name for name in _COVERED if name in message]
        if added:
            signed = payload_of(message["authorization"]["signature"])
            added = [name for name in added if _COVERED[name] not in signed]
        bare = {name: _bare(message["authorization"][name]) for name in _JWS if name in message["authorization"]}
    except (AttributeError, BadRequest, KeyError, TypeError):
        return message
    authorization = message["authorization"] | bare
    if not added and authorization == message["authorization"]:
        return message
    return {name: value for name, value in message.items() if name not in added} | {"authorization": authorization}


def _bare(jws: Mapping[str, Any]) -> dict[str, Any]:
    entries = [{name: entry[name] for name in _OF_ENTRIES if name in entry} for entry in jws["signatures"]]
    return {**jws, "signatures": entries}


def says_the_same(message: Message, other: Message) -> bool:
    """Return True if two messages have the same content, so that they differ at most in who signed them, and how."""
    return message.get("descriptor") == other["descriptor"] and message.get("recordId") == other.get("recordId")


def is_held(held: Message, cid: str, found: Mapping[str, Any] | None) -> bool:
    """Return True if a node has a write, or a newer message of its record.

    Parameters:
        held, cid: the write, and its CID.
        found: the newest message of the record that the node shows; None: it shows none.
    """
    if found is None:
        return False
    try:
        if message_cid(found) == cid or method_of(found) == "Records.Delete":
            return True
    except InvalidArgument:
        return False
    moment = found["descriptor"].get("messageTimestamp") if method_of(found) else None
    return isinstance(moment, str) and moment > held["descriptor"]["messageTimestamp"]
