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

from collections.abc import Callable, Iterable
from typing import TypeVar

from web5.dwn.store.protocols import Configuration
from web5.dwn.types import Message
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


def needless(versions: Iterable[Configuration]) -> set[str]:
    """Return the CIDs of the versions of a protocol, oldest first, that need not be kept.

    Programs configure a protocol at every start. So of versions that follow each other and say the same, one is kept,
    and the newest: the one says since when that holds, where something else held before.
    """
    kept: list[Configuration] = []
    dropped: set[str] = set()
    for one in versions:
        if (len(kept) == 1 and kept[0].definition == one.definition) or (
            len(kept) > 1 and kept[-1].definition == kept[-2].definition
        ):
            dropped.add(kept.pop().cid)
        kept.append(one)
    return dropped | {one.cid for one in kept[:-KEPT_DEFINITIONS]}
