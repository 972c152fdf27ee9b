"""How far each has read, of those who tell.

Invariant: nobody is told anything unless the person has chosen so for them.
"""

from __future__ import annotations

from app.messages.letters import Letter, Letters
from app.messages.protocol import Receipt
from web5 import TypedRecord, Web5


class Receipts:
    """What the person tells others of having read, and what they tell."""

    def __init__(self, web5: Web5) -> None:
        self._web5 = web5
        self._mine: dict[str, TypedRecord[Receipt]] = {}
        self._theirs: dict[str, TypedRecord[Receipt]] = {}

    async def load(self) -> None:
        """Read all of them."""
        async for receipt in self._web5.records(Receipt).query():
            self.know(receipt)

    async def read(self, id: str) -> None:
        """Read one that has changed. Raises NotFound."""
        self.know(await self._web5.records(Receipt).read(id))

    def clear(self) -> None:
        """Forget all of them."""
        self._mine.clear()
        self._theirs.clear()

    def know(self, receipt: TypedRecord[Receipt]) -> None:
        """Take one in: of several between two people, the newest counts."""
        me, record = self._web5.connected_did, receipt.record
        if not receipt.is_valid or not record.recipient:
            return
        if receipt.author == me:
            known, did = self._mine, record.recipient
        elif record.recipient == me:
            known, did = self._theirs, receipt.author
        else:
            return
        before = known.get(did)
        if before is None or before.record.date_modified <= record.date_modified:
            known[did] = receipt

    async def tell(self, did: str, message: Letter) -> TypedRecord[Receipt] | None:
        """Note for somebody that a message of theirs was read, and all before it; None if they know."""
        told = self._mine.get(did)
        if told is None:
            value = Receipt(message=message.id)
            told = self._mine[did] = await self._web5.records(Receipt).create(value, recipient=did)
            return told
        if told.value.message == message.id:
            return None
        self._mine[did] = await told.update(message=message.id)
        return told

    def read_by(self, did: str, letters: Letters) -> tuple[int, str] | None:
        """Return the place of the last of one's own messages that somebody tells to have read."""
        told = self._theirs.get(did)
        letter = None if told is None else letters.get(told.value.message)
        return letter.order if letter is not None and letter.mine and letter.thread == did else None
