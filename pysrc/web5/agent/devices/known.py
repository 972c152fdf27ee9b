"""The list of a person's devices: each keeps a small record of the agent about itself, encrypted like the others.

Invariants:
1. A device writes of itself only that it is there, and when. What the person calls it is a record of its own, which any
   device may write.
2. The list is what the devices have said: one that was not there for long is shown with that time. To take one off the
   list takes nothing from it: it has the agent's keys.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from web5.agent.devices.pairing import shortened
from web5.agent.records import AgentRecords
from web5.crypto.encoding import b64url_encode
from web5.dwn.store.database import Database
from web5.errors import IdentityError, InvalidArgument
from web5.ports.clock import Clock

KIND = "device"
NAME = "device name"
SCHEMA = ("CREATE TABLE agent_device (agent TEXT PRIMARY KEY, id TEXT NOT NULL) WITHOUT ROWID",)
"""Which of them it is, each device knows for itself."""

FRESH = timedelta(minutes=20)
"""A device says again that it is there after so long."""

_ID_BYTES = 9


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """A device of this agent.

    Parameters:
        id: tells it from the others.
        name: what the person calls it, or it itself.
        last_seen: when it last said that it is there.
        added: when it first did.
        here: True for this one.
    """

    id: str
    name: str
    last_seen: datetime
    added: datetime
    here: bool


class KnownDevices:
    """The devices, as the agent's records have them."""

    def __init__(self, database: Database, records: AgentRecords, clock: Clock) -> None:
        self._database = database
        self._records = records
        self._clock = clock
        database.migrate("agent_device", SCHEMA)

    async def list(self) -> list[KnownDevice]:
        """Return them, the one that was there last first.

        Raises:
            VaultLocked: the vault is locked.
        """
        own = self._own()
        found = [await self._known(id, own) for id in self._records.ids(KIND)]
        return sorted([one for one in found if one], key=lambda one: (one.here, one.last_seen), reverse=True)

    async def here(self, name: str) -> None:
        """Say that this device is there, unless it has said so a moment ago.

        Parameters:
            name: what it calls itself.

        Raises:
            InvalidArgument: the name is blank.
            VaultLocked: the vault is locked.
        """
        if not (name := shortened(name)):
            raise InvalidArgument("name is blank: give this device one that the person knows it by.")
        now = self._clock.now()
        id = self._own() or await self._choose_id()
        value = await self._records.get(KIND, id)
        before = value if isinstance(value, dict) else {}
        if before.get("name") == name and now - _time(before, "seen") < FRESH // timedelta(microseconds=1):
            return
        added = _time(before, "added") or now
        await self._records.put(KIND, id, {"name": name, "seen": now, "added": added})

    async def rename(self, id: str, name: str) -> None:
        """Give a device another name, on all of them.

        Raises:
            IdentityError: there is no such device.
            InvalidArgument: the name is blank.
        """
        if not (name := shortened(name)):
            raise InvalidArgument("name is blank: a device needs one that the person knows it by.")
        self._check(id)
        await self._records.put(NAME, id, name)

    async def remove(self, id: str) -> None:
        """Take a device off the list. It keeps what it has; if it is used again, it is on the list again.

        Raises:
            IdentityError: there is no such device.
        """
        self._check(id)
        for kind in (KIND, NAME):
            await self._records.delete(kind, id)

    def _check(self, id: str) -> None:
        if id not in self._records.ids(KIND):
            raise IdentityError(f"There is no device {id!r:.40} of this agent.")

    async def _known(self, id: str, own: str | None) -> KnownDevice | None:
        value, named = await self._records.get(KIND, id), await self._records.get(NAME, id)
        if not isinstance(value, dict):  # deleted meanwhile
            return None
        name = named if isinstance(named, str) else value.get("name")
        return KnownDevice(
            id,
            shortened(name) if isinstance(name, str) else "",
            _moment(_time(value, "seen")),
            _moment(_time(value, "added")),
            id == own,
        )

    def _own(self) -> str | None:
        query = "SELECT id FROM agent_device WHERE agent = ?"
        row: tuple[str] | None = self._database.connection.execute(query, (self._records.did,)).fetchone()
        return None if row is None else row[0]

    async def _choose_id(self) -> str:
        id = b64url_encode(os.urandom(_ID_BYTES))
        with self._database.transaction() as db:
            db.execute("INSERT OR IGNORE INTO agent_device VALUES (?, ?)", (self._records.did, id))
        await self._database.flush()
        return self._own() or id


def _time(value: dict[str, Any], name: str) -> int:
    time = value.get(name)
    return time if isinstance(time, int) and 0 <= time < 1 << 53 else 0


def _moment(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)
