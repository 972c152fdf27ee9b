"""What a delegate may do and see, by the account of all messages and not by the code that decides it on nodes.

A message that a delegate signed is allowed if its grant had not ended at the message's own date. So what was written
before a revocation arrives everywhere, whenever that is; and no node that holds a revocation takes what is dated after
it. Where such a message came to a node before the revocation did, it stays there, in the reference too: its record is
disputed (`rules`). So it is with what it wrote under a definition that had ended by then, of which it did not know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from tests.simulation import protocols
from tests.simulation.account import Account, Authored
from web5.dwn import Applied, Dwn
from web5.dwn.permissions import protocol as permissions
from web5.dwn.values.types import Message

if TYPE_CHECKING:
    from tests.simulation.world import World


def grant_of(message: Message) -> str | None:
    """Return the record ID of the grant by which a delegate signed a message; None if none did."""
    grant = message.get("authorization", {}).get("authorDelegatedGrant")
    return None if grant is None else grant["recordId"]


def is_revocation(one: Authored) -> bool:
    return one.protocol == permissions.URI and one.descriptor.get("protocolPath") == permissions.REVOCATION


def overstepped(messages: Iterable[Authored]) -> set[str]:
    """Return the records in which a delegate wrote something after the grant for it was revoked."""
    ends: dict[str, str] = {}
    signed: list[tuple[str, Authored]] = []
    for one in messages:
        if is_revocation(one):
            grant, date = one.descriptor["parentId"], one.age[0]
            ends[grant] = min(date, ends.get(grant, date))
        elif (used := grant_of(one.message)) is not None:
            signed.append((used, one))
    return {one.record_id for grant, one in signed if grant in ends and ends[grant] <= one.age[0]}


def not_allowed(messages: Iterable[Authored]) -> set[str]:
    """Return the records in which a delegate wrote something that the definition of its date has no place for."""
    definitions = sorted((one for one in messages if one.kind == "ProtocolsConfigure"), key=lambda one: one.age)
    found = set[str]()
    for one in messages:
        if one.kind != "RecordsWrite" or grant_of(one.message) is None:
            continue
        before = [other for other in definitions if other.protocol == one.protocol and other.age < one.age]
        if before and not _has_place(before[-1].descriptor["definition"], one.descriptor["protocolPath"]):
            found.add(one.record_id)
    return found


def _has_place(definition: Message, path: str) -> bool:
    at: Message = definition["structure"]
    for name in path.split("/"):
        if name not in at:
            return False
        at = at[name]
    return True


def watching(world: World, name: str, dwn: Dwn) -> Callable[[Applied], None]:
    """Return a hook for a node's transactions: once it holds a revocation, it takes nothing that came after it."""

    def taken(applied: Applied) -> None:
        grant, date = grant_of(applied.message), applied.message["descriptor"]["messageTimestamp"]
        for one in world.revocations.get(grant or "", ()):
            if one.age[0] <= date and dwn.store.has(applied.tenant, one.cid):
                called = world.story.called(applied.message_cid)
                world.fail(f"{name} has taken {called}, although it holds the revocation of its grant")

    return taken


def is_visible(account: Account, one: Authored) -> bool:
    """Return True for a message of the simulation's protocol, or of the permissions for it."""
    first = one
    if one.kind == "RecordsDelete":
        record = (other for other in account.made.values() if other.record_id == one.record_id and other.is_initial)
        first = next(record, one)
    if first.protocol == permissions.URI:
        return bool(first.descriptor.get("tags", {}).get("protocol") == protocols.URI)
    return first.protocol == protocols.URI


def held(dwn: Dwn, tenant: str) -> set[str]:
    """CIDs of everything that a node holds."""
    return {cid for _, cid in dwn.store.entries_after(tenant, 0, 1_000_000)}
