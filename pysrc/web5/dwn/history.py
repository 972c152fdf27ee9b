"""The judgement of messages that the tenant's DWNs had already: by what holds now, or by what held at their own time.

A stranger's message is judged by what holds when it comes, whatever its date, so that nobody gets back by an old date
what has ended. But what was allowed once is the tenant's, and must reach a new device and a node that is added or was
emptied. So a message is *replicated*, and may be from the past, where sync has fetched it from one of the tenant's own
nodes, or where the tenant hands it on with a signature over just that (MessagesReplicate).

1. Definitions, roles, grants and parent records are looked for as they were at the message's date, if it is refused as
   things are now. A role, a grant and a parent allow what is dated before their end; of a definition, the newest that
   is no younger counts, or the oldest that is kept.
2. What the tenant wrote needs its parent record, and no definition that fits: a node that keeps no superseded ones, as
   the reference's do, must not keep what is the tenant's own from its devices.
3. Below a record that was pruned there never was anything.
4. A delete ends a record, whatever the dates of its writes; of several deletes, one that prunes counts before one that
   does not, then the newest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from web5.dwn.store.protocols import Configuration
from web5.dwn.values.types import Message
from web5.errors import BadRequest, Unauthorized

KEPT_DEFINITIONS = 100
"""The versions of one protocol that are kept; the oldest go first."""

T = TypeVar("T")


def judged(check: Callable[[str | None], T], message: Message, *, replicated: bool) -> T:
    """Return what a check returns for now or, of a message that was replicated, for its own time.

    Parameters:
        check: is given the date by which to judge; None: now.

    Raises:
        BadRequest, Unauthorized: what the check raised last.
    """
    try:
        return check(None)
    except (BadRequest, Unauthorized):
        if not replicated:
            raise
    return check(message["descriptor"]["messageTimestamp"])


def weight(delete: Message, cid: str) -> tuple[bool, str, str]:
    """Return what decides which of two deletes of one record counts: the greater."""
    return delete["descriptor"]["prune"], delete["descriptor"]["messageTimestamp"], cid


def needless(versions: Sequence[Configuration]) -> set[str]:
    """Return the CIDs of the versions of a protocol, oldest first, that need not be kept now that the last has come.

    Programs configure a protocol at every start. So the one before the last goes if it says what the last says and is
    the first of all, or says what the one before it said: that one tells since when it holds.
    """
    if len(versions) < 2:
        return set()
    *before, previous, last = versions
    neighbour = before[-1] if before else last
    again = {previous.cid} if previous.definition == neighbour.definition else set()
    return again | excessive(versions)


def excessive(versions: Sequence[Configuration]) -> set[str]:
    """Return the CIDs of the versions of a protocol, oldest first, that are beyond `KEPT_DEFINITIONS`."""
    return {one.cid for one in versions[:-KEPT_DEFINITIONS]}
