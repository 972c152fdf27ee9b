"""A DWN in memory, and three persons: Alice, whose DWN it is; Bob and Carol, who are strangers to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.unit.dwn.persons import Person, SteppingClock, our_dwn, our_engine, person
from web5.dwn import Dwn, compose
from web5.dwn.values.types import Message

Status = tuple[int, str]


@dataclass
class World:
    dwn: Dwn
    clock: SteppingClock
    alice: Person
    bob: Person
    carol: Person

    def engine(self, **parts: Any) -> Dwn:
        """Another engine on the same clock, to be opened; by default as the world's own."""
        return our_dwn(self.clock, **parts)

    async def send(self, message: Any, data: Any = None, *, tenant: Person | None = None, **more: Any) -> Any:
        """The reply of Alice's DWN (or another tenant's on the same engine)."""
        return await self.dwn.process_message((tenant or self.alice).did, message, data, **more)

    async def status(self, message: Any, data: Any = None, *, tenant: Person | None = None) -> Status:
        """The reply's status code, and its error code or else its detail."""
        status = (await self.send(message, data, tenant=tenant))["status"]
        return status["code"], status["detail"].partition(":")[0]

    async def compose(self, *, by: Person | None = None, data: bytes | None = b"hello", **options: Any) -> Message:
        """A RecordsWrite by Alice, unless it is by another, that was not sent yet."""
        if "existing" not in options:
            options.setdefault("data_format", "text/plain")
        return await compose.records_write((by or self.alice).signer, self.clock, data=data, **options)

    async def write(self, *, data: bytes | None = b"hello", **options: Any) -> Message:
        """The same, sent and accepted."""
        message = await self.compose(data=data, **options)
        assert (await self.send(message, data))["status"]["code"] == 202
        return message

    async def delete(self, write: Message, *, by: Person | None = None, **options: Any) -> Message:
        """A RecordsDelete that was not sent yet."""
        signer = (by or self.alice).signer
        return await compose.records_delete(signer, self.clock, record_id=write["recordId"], **options)

    async def read(self, *, by: Person | None, **filter: Any) -> Any:
        """The reply to a RecordsRead by someone, or by nobody."""
        return await self.send(await compose.records_read(by and by.signer, self.clock, filter=filter))

    async def query(self, *, by: Person | None, date_sort: str | None = None, **filter: Any) -> list[str]:
        """The record IDs that a RecordsQuery finds."""
        message = await compose.records_query(by and by.signer, self.clock, filter=filter, date_sort=date_sort)
        return [entry["recordId"] for entry in (await self.send(message))["entries"]]

    async def log(self) -> list[str]:
        """The CIDs of Alice's event log."""
        entries: list[str] = (await self.send(await compose.messages_query(self.alice.signer, self.clock)))["entries"]
        return entries


@pytest.fixture
async def world() -> World:
    clock = SteppingClock()
    return World(await our_engine(clock), clock, await person(), await person(), await person())
