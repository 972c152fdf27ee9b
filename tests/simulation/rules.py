"""The messages that nodes hold which have seen the same, by the DWN's own rules, and where those let nodes differ.

The newest message of a record wins, but for this: no write is taken after a delete, a delete of what is deleted already
is not taken unless it prunes for the first time, and nothing is taken below a record that is deleted or whose type the
protocol does not know. So nodes that got messages in different orders differ for ever (`dwn-sdk-js` alike), if

1. a record has a delete, and another message of it is newer than that delete: unless the newest of all its messages is
   the only one that prunes;
2. a record is below one that was deleted: a node that had it keeps it, one that gets it later refuses it;
3. the newest definition of its protocol does not know a record's type.

`Disputed` are exactly those records; a node may hold any proper state of them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from tests.simulation.account import Authored


@dataclass(slots=True)
class Expected:
    """The messages that every node of a tenant holds.

    Attributes:
        cids: the messages, but for those of disputed records.
        disputed: the record IDs, each with the reason.
    """

    cids: set[str] = field(default_factory=set)
    disputed: dict[str, str] = field(default_factory=dict)


def expected(messages: list[Authored]) -> Expected:
    """Return what nodes hold that have seen all these messages of one tenant."""
    result = Expected()
    by_record: dict[str, list[Authored]] = defaultdict(list)
    definitions: dict[str, Authored] = {}
    for one in sorted(messages, key=lambda one: one.age):
        if one.kind == "ProtocolsConfigure":
            definitions[one.protocol or ""] = one
        else:
            by_record[one.record_id].append(one)
    result.cids |= {one.cid for one in definitions.values()}
    for record_id, record in by_record.items():
        reason = _own_dispute(record) or _above(record, by_record) or _unknown_type(record, definitions)
        if reason:
            result.disputed[record_id] = reason
            continue
        initial = next((one for one in record if one.is_initial), None)
        if initial is None:
            result.disputed[record_id] = "its initial write is gone"
            continue
        result.cids |= {initial.cid, record[-1].cid}
    return result


def _own_dispute(record: list[Authored]) -> str:
    deletes = [one for one in record if one.kind == "RecordsDelete"]
    newest = record[-1]
    if not deletes or deletes == [newest]:
        return ""
    if newest.is_prune and sum(one.is_prune for one in deletes) == 1:
        return ""
    return "it was deleted, and something of it is newer than the delete"


def _above(record: list[Authored], by_record: dict[str, list[Authored]]) -> str:
    parent = _parent(record)
    while parent:
        above = by_record.get(parent, [])
        if any(one.kind == "RecordsDelete" for one in above):
            return "a record above it was deleted"
        if not above:
            return "the record above it is gone"
        parent = _parent(above)
    return ""


def _parent(record: list[Authored]) -> str | None:
    return next((one.descriptor["parentId"] for one in record if "parentId" in one.descriptor), None)


def _unknown_type(record: list[Authored], definitions: dict[str, Authored]) -> str:
    protocol, path = record[0].protocol, record[0].descriptor.get("protocolPath", "")
    if protocol is None or protocol not in definitions:
        return ""
    if path.rpartition("/")[2] in definitions[protocol].descriptor["definition"]["types"]:
        return ""
    return "the newest definition of its protocol does not know it"
