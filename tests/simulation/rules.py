"""The messages that nodes hold which have seen the same, by the DWN's own rules, and where those let nodes differ.

The newest message of a record wins, but for this: a delete ends it, whatever its writes are dated; of several deletes,
one that prunes wins, then the newest; and below what was pruned there is nothing (`web5.dwn.history`). What the tenant
wrote is kept below a record that was deleted, and whatever a definition says; what a guest wrote, as far as it is older
than the end of the record above it.

`Disputed` are the records in which a guest, or a delegate, wrote something later than that, in a clock of his own: a
node that had it before the delete keeps it, and none that has the delete takes it, nor what is below it. A node may
also keep the definitions that were superseded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.simulation import delegation_rules
from tests.simulation.account import Authored
from web5.dwn.signatures.jws import message_author


@dataclass(slots=True)
class Expected:
    """The messages that every node of a tenant holds.

    Attributes:
        cids: the messages, but for those of disputed records.
        optional: superseded definitions.
        disputed: the record IDs, each with the reason.
    """

    cids: set[str] = field(default_factory=set)
    optional: set[str] = field(default_factory=set)
    disputed: dict[str, str] = field(default_factory=dict)


def expected(messages: list[Authored]) -> Expected:
    """Return what nodes hold that have seen all these messages of one tenant."""
    result = Expected()
    by_record: dict[str, list[Authored]] = defaultdict(list)
    definitions: dict[str, Authored] = {}
    for one in sorted(messages, key=lambda one: one.age):
        if one.kind == "ProtocolsConfigure":
            definitions[one.protocol or ""] = one
            result.optional.add(one.cid)
        else:
            by_record[one.record_id].append(one)
    result.cids |= {one.cid for one in definitions.values()}
    overstepped = delegation_rules.overstepped(messages) | delegation_rules.not_allowed(messages)
    for record_id, record in by_record.items():
        ends = _ends_above(record, by_record)
        initial = next((one for one in record if one.is_initial), None)
        if ends is None or initial is None:
            result.disputed[record_id] = "its initial write, or the record above it, is gone"
        elif record_id in overstepped:
            result.disputed[record_id] = "a delegate wrote in it what it was not allowed any more"
        elif any(end.is_prune for end in ends):
            continue
        elif any(end.age < one.age and not _is_tenants_own(one) for end in ends for one in record):
            result.disputed[record_id] = "another wrote in it after the record above it was deleted"
        else:
            result.cids |= {initial.cid, (_end(record) or record[-1]).cid}
    for record_id, record in by_record.items():
        if not result.disputed.keys().isdisjoint(_above(record, by_record)):
            result.disputed.setdefault(record_id, "the record above it is disputed")
            result.cids.difference_update(one.cid for one in record)
    return result


def below_ended(messages: list[Authored]) -> set[str]:
    """Return the records below one that was deleted."""
    by_record: dict[str, list[Authored]] = defaultdict(list)
    for one in messages:
        by_record[one.record_id].append(one)
    return {record_id for record_id, record in by_record.items() if _ends_above(record, by_record) != []}


def _end(record: list[Authored]) -> Authored | None:
    deletes = (one for one in record if one.kind == "RecordsDelete")
    return max(deletes, key=lambda one: (one.is_prune, one.age), default=None)


def _ends_above(record: list[Authored], by_record: dict[str, list[Authored]]) -> list[Authored] | None:
    """Return the deletes of all records above one; None if one of them is gone."""
    ends: list[Authored] = []
    parent = _parent(record)
    while parent:
        above = by_record.get(parent, [])
        if not above:
            return None
        if (end := _end(above)) is not None:
            ends.append(end)
        parent = _parent(above)
    return ends


def _above(record: list[Authored], by_record: dict[str, list[Authored]]) -> Iterator[str]:
    while parent := _parent(record):
        yield parent
        record = by_record.get(parent, [])


def _is_tenants_own(one: Authored) -> bool:
    if "authorization" not in one.message:
        return True
    return message_author(one.message) == one.tenant and delegation_rules.grant_of(one.message) is None


def _parent(record: list[Authored]) -> str | None:
    return next((one.descriptor["parentId"] for one in record if "parentId" in one.descriptor), None)
