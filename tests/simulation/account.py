"""The account of every message: who made it, whether it was acknowledged, and whether it still exists."""

from __future__ import annotations

from dataclasses import dataclass

from web5.dwn.values.cid import message_cid
from web5.dwn.values.timestamps import parse_timestamp
from web5.dwn.values.types import Message


@dataclass(frozen=True, slots=True)
class Authored:
    """A message that somebody of the simulation made."""

    tenant: str
    cid: str
    message: Message
    data: bytes | None

    @property
    def descriptor(self) -> Message:
        descriptor: Message = self.message["descriptor"]
        return descriptor

    @property
    def kind(self) -> str:
        return f"{self.descriptor['interface']}{self.descriptor['method']}"

    @property
    def record_id(self) -> str:
        """ "" for what is of no record."""
        record_id: str = self.message.get("recordId") or self.descriptor.get("recordId", "")
        return record_id

    @property
    def protocol(self) -> str | None:
        """The protocol of a record, or the one that is configured."""
        definition = self.descriptor.get("definition")
        found: str | None = definition["protocol"] if definition else self.descriptor.get("protocol")
        return found

    @property
    def age(self) -> tuple[str, str]:
        return self.descriptor["messageTimestamp"], self.cid

    @property
    def is_initial(self) -> bool:
        return self.kind == "RecordsWrite" and self.descriptor["messageTimestamp"] == self.descriptor["dateCreated"]

    @property
    def is_prune(self) -> bool:
        return bool(self.descriptor.get("prune"))


def _subject(one: Authored) -> str | None:
    return one.record_id or one.protocol


class Account:
    """All messages of one simulation.

    Attributes:
        acknowledged: CIDs that a node said it took (202), to whoever wrote them.
        existing: CIDs that some node has stored durably, and that did not go with it.
        forged: CIDs that a node stored and nobody made: there must be none.
    """

    def __init__(self) -> None:
        self.made: dict[str, Authored] = {}
        self.acknowledged: set[str] = set()
        self.existing: set[str] = set()
        self.forged: set[str] = set()

    def author(self, tenant: str, message: Message, data: bytes | None) -> Authored:
        """Somebody has made a message."""
        made = Authored(tenant, message_cid(message), message, data)
        self.made[made.cid] = made
        return made

    def restored(self, tenant: str, message: Message) -> None:
        """Sync has written a record anew as it was, because a node seemed to have lost it to a variant."""
        same = message["descriptor"]["dataCid"]
        record = (one for one in self.made.values() if one.record_id == message["recordId"])
        self.author(tenant, message, next(one.data for one in record if one.descriptor.get("dataCid") == same))

    def latest(self) -> int:
        """Return the newest date of a message, in microseconds since 1970; 0 if there is none."""
        return max((parse_timestamp(one.age[0]) for one in self.made.values()), default=0)

    def stored(self, cid: str) -> None:
        """Record that a node has a message, durably."""
        self.existing.add(cid)
        if cid not in self.made:
            self.forged.add(cid)

    def lost(self, tenant: str, cids: set[str], left: set[str]) -> None:
        """Record that a node which had messages is gone, or is nobody's node any more.

        Parameters:
            left: what others have. What else there was of the same records, or protocols, was replaced, and by what is
                not left either.
        """
        gone = {_subject(self.made[cid]) for cid in cids - left if cid in self.made}
        if gone:
            self.existing -= {one.cid for one in self.of(tenant) if _subject(one) in gone and one.cid not in left}

    def of(self, tenant: str) -> list[Authored]:
        """Return the tenant's messages that exist."""
        return [one for one in self.made.values() if one.tenant == tenant and one.cid in self.existing]
