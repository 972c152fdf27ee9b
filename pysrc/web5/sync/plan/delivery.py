"""The rules of deliveries to somebody else's nodes: what of them is kept, and how it is said what these nodes lack."""

from __future__ import annotations

from web5.dwn.values.types import Message
from web5.errors import DidError
from web5.sync.plan.dependencies import describe, is_initial
from web5.sync.plan.policy import NOT_REGISTERED, SLOWLY, Outcome, recall
from web5.sync.states import State

MOST_DELIVERIES = 10_000
"""Messages of one author that are kept for others' nodes; no more are taken until some of these are delivered."""

TRANSIENT = frozenset({"internalError"})
"""Codes of DID errors that are no answer about the DID, so that it may be resolved later."""

REPLACED = Outcome(
    "replaced here",
    State.REFUSED,
    SLOWLY,
    detail="what was sent was replaced here by a newer state of its record, and is gone; send that, or withdraw this",
    needs_user_action=True,
)
"""The outcome of a message with large data that is held no more: nobody has sent what took its place."""

DELETED = Outcome("its record was deleted here", None)
"""The outcome of a message of a record that is deleted here, where nobody has sent the delete."""

NO_ENDPOINT = Outcome("no endpoint", State.PENDING, detail="the target's DID document names no DWN", ends_visit=True)

NOT_TRIED = Outcome("not tried", State.PENDING, detail="it is not due yet, or was withdrawn or replaced meanwhile")


def may_be_there_later(error: DidError) -> bool:
    """Return True if a DID may be found that cannot be resolved now."""
    return error.code in TRANSIENT


def replaces(newer: Message, older: Message, *, carries_initial: bool) -> bool:
    """Return True if a message makes an earlier one of its record needless that waits for the same nodes.

    Parameters:
        carries_initial: the initial write of the record is sent with the newer message, whoever has sent it before.
    """
    if is_initial(older) and not carries_initial:
        return False
    return str(newer["descriptor"].get("messageTimestamp")) > str(older["descriptor"].get("messageTimestamp"))


def as_theirs(target: str, code: int, detail: str, waits_for: str | None) -> str:
    """Return the reason why a message is not delivered, where it is the target's to mend in words that say so."""
    outcome = recall(code, detail)
    if code and waits_for is not None and outcome.lacks_message:
        return f"the node of {target} lacks {describe(waits_for)}: {detail}"
    if code and outcome.may_be_of_the_past:
        return f"the node of {target} does not allow it as things are there: {detail}"
    if code and outcome.name == NOT_REGISTERED:
        return f"{target} is not registered with its node: {detail}"
    return detail
