"""A person's device: an engine and its sync over a machine."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from tests.contracts.memory_pages import MemoryPages
from tests.simulation.delegation_rules import watching
from tests.simulation.machine import Machine
from tests.simulation.network import Endpoint, SimRemote
from tests.simulation.people import Person, SimResolver
from tests.simulation.registrations import SimRegistrar
from tests.simulation.storage import SimBlobs, SimPages
from web5.crypto.jose.jws import MessageSigner
from web5.dwn import Applied, Dwn
from web5.dwn.store.database import Database
from web5.dwn.store.durable.paged import open_paged
from web5.dwn.store.store import Store
from web5.errors import StorageError
from web5.sync import SyncEngine, SyncReport

if TYPE_CHECKING:
    from tests.simulation.world import World


class Device(Machine):
    """One device.

    Parameters:
        identities: whose messages it syncs.
        mode: what `SyncEngine.start` is given.

    Attributes:
        names: what the person is going to do on it, keys of `actions.ACTIONS`.
        may_sync: False while it is not allowed to sync.
        may_hand_on: True if it can vouch for messages from the past.
        pages, blobs: its disk, as this run of it has it.
    """

    def __init__(self, world: World, name: str, identities: list[Person], mode: str, skew: float, lag: float) -> None:
        super().__init__(name, world.story, world.random, skew, world.plan.check_share)
        self.world = world
        self.identities = identities
        self.mode = mode
        self.lag = lag
        self.names: Sequence[str] = ()
        self.dwn: Dwn
        self.sync: SyncEngine
        self.registrar: SimRegistrar
        self.pages: SimPages
        self.blobs: SimBlobs
        self._sent: set[str] = set()

    may_sync = True
    may_hand_on = True

    def idle_requests(self, endpoints: Collection[Endpoint]) -> int:
        """Return the requests of a round in which there is nothing to do, to these endpoints."""
        return sum(one in self.world.documents[person.did] for person in self.identities for one in endpoints)

    def believes_sent(self, endpoint: Endpoint, cid: str) -> bool:
        """Return True if it may not ask whether an endpoint has a message, and its ledger says so."""
        return False

    def may_see(self, cid: str) -> bool:
        """Return True if nodes give it this message."""
        return True

    async def _start(self) -> None:
        self._sent = set()
        self.pages, self.blobs = SimPages(self._mount), SimBlobs(self._mount)
        self._database = await open_paged(self.pages)
        keys = SimResolver(self.world.directory, lag=None)
        self.dwn = Dwn(
            database=self._database,
            blobs=self.blobs,
            resolver=keys,
            crypto=self.world.crypto,
            clock=self.clock,
        )
        self.dwn.in_transaction.append(self._restored)
        self.dwn.after_commit.append(self._stored)
        self.dwn.in_transaction.append(watching(self.world, self.name, self.dwn))
        self.registrar = SimRegistrar(self.world, self)
        self.sync = SyncEngine(
            dwn=self.dwn,
            remote=SimRemote(self.world, self),
            resolver=SimResolver(self.world.directory, self.lag),
            clock=self.clock,
            signer_for=self._signer_for,
            registrar=self.registrar,
            jitter=self.world.random(f"jitter of {self.name}, run {self.runs}").random,
        )
        await self.dwn.open()
        await self.sync.open()
        await self._register()
        self.up = True
        self.world.story.add(self.name, "has started (run {})", self.runs)
        if self.checks is not None:
            self.checks(self)
        await self.sync.start(self.mode)

    async def _register(self) -> None:
        for identity in self.identities:
            for _, cid in self.dwn.store.entries_after(identity.did, 0, 1_000_000):
                self.world.account.stored(cid)  # durable before the crash, but not told of any more
            await self.sync.register(identity.did)

    def _stored(self, applied: Applied) -> None:
        self.world.account.stored(applied.message_cid)

    def _restored(self, applied: Applied) -> None:
        if applied.source is None and applied.message_cid not in self.world.account.made:
            self.world.account.restored(applied.tenant, applied.message)

    async def _signer_for(self, did: str) -> MessageSigner:
        return next(one.signer for one in self.identities if one.did == did)

    async def _scrap(self) -> None:
        forgotten = {one.did: self._in_memory(one.did) for one in self.identities} if self.disk.behind else {}
        self.disk.behind = False
        await super()._scrap()
        for tenant, cids in forgotten.items():
            await self.world.lost_with(tenant, cids)

    def _in_memory(self, tenant: str) -> set[str]:
        return set() if self._database is None else _cids(self._database, tenant)

    async def survives(self, tenant: str) -> set[str]:
        """CIDs of the messages that are not lost as long as nothing else happens to the device."""
        return self._in_memory(tenant) if self.disk.behind else await self.on_disk(tenant)

    def damaged(self, tenant: str) -> set[str]:
        """CIDs of the messages that the device says it cannot read, or whose data it cannot."""
        return {row.message_cid for row in self.sync.damaged(tenant)}

    async def on_disk(self, tenant: str) -> set[str]:
        """CIDs of the messages that would be there after a crash now."""
        if not self.disk.pages:
            return set()
        database = await open_paged(MemoryPages(held=dict(self.disk.pages)))
        try:
            return _cids(database, tenant)
        finally:
            await database.close()

    # -- what the app does

    async def sync_now(self, direction: str | None = None) -> SyncReport | None:
        """`SyncEngine.now`; None if the disk would not have it."""
        try:
            return await self.sync.now(direction)
        except* StorageError as errors:
            self.world.story.add(self.name, "could not sync: {}", errors.exceptions[0])
        return None

    def asked_to_send(self, cid: str) -> bool:
        """Return True if the app asked for this message to be sent in this run."""
        return cid in self._sent

    async def send(self, tenant: str, cid: str) -> None:
        """`SyncEngine.send`; what it may send is remembered."""
        account = self.world.account
        record_id = account.made[cid].record_id
        self._sent |= {cid} | {one.cid for one in account.made.values() if one.record_id == record_id != ""}
        await self.sync.send(tenant, cid)


def _cids(database: Database, tenant: str) -> set[str]:
    if not database.connection.table_exists(None, "dwn_message"):
        return set()  # it was just begun
    return {cid for _, cid in Store(database).entries_after(tenant, 0, 1_000_000)}
