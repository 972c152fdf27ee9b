"""Identities that the first versions kept in a table, sealed by the device's key: they become records of the agent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from web5.agent.identities import IdentityStore
from web5.dids.models import PortableDid
from web5.dwn.store.database import Database
from web5.ports.sealer import Sealer


@dataclass(frozen=True)
class Left:
    """What there is to take over."""

    portable_did: PortableDid
    name: str
    chosen: bool


class LegacyIdentities:
    """The table `agent_identity`; it only gets emptier."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    async def left(self) -> list[Left]:
        """What has not been taken over yet.

        Raises:
            CryptoError: it was sealed on another device.
        """
        rows: Any = self._database.connection.execute(
            "SELECT sealed, name, chosen FROM agent_identity ORDER BY id"
        ).fetchall()
        return [
            Left(PortableDid.from_wire(json.loads(await self._sealer.open(sealed))), name, bool(chosen))
            for sealed, name, chosen in rows
        ]

    async def take_over(self, identities: IdentityStore) -> None:
        """Make all of them records of the agent; one that a broken attempt has made already is only crossed out."""
        for one in await self.left():
            did = one.portable_did.uri
            if did not in [identity.did for identity in identities.list()]:
                await identities.add(one.portable_did, one.name)
            if one.chosen:
                await identities.choose(did)
            with self._database.transaction() as db:
                db.execute("DELETE FROM agent_identity WHERE did = ?", (did,))
        await self._database.flush()
