"""The totals are right after whatever happens. The numbers are the invariants of `web5.sync.ledger.totals`."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.contracts.memory_pages import MemoryPages
from tests.ledger_totals import miscounted
from tests.unit.sync.world import CRYPTO, Device, World, cid_of, reply_of
from web5.dwn import Dwn, compose
from web5.dwn.store.durable.paged import open_paged
from web5.dwn.store.memory import MemoryBlobs
from web5.dwn.values.types import Message
from web5.errors import InvalidArgument, StorageFull
from web5.sync.ledger.ledger import Endpoint, Ledger, Tenant
from web5.sync.plan.policy import Outcome, classify, waiting_for
from web5.sync.plan.push import Item
from web5.sync.states import Listing, State, Unsettled, Wanted

URLS = ["http://a", "http://b", "http://c"]
OUTCOMES = [
    classify({"status": {"code": 202, "detail": "Accepted"}}),
    classify({"status": {"code": 400, "detail": "SchemaValidatorFailure: no"}}),
    classify({"status": {"code": 507, "detail": "full"}}),
    waiting_for("record:x"),
]
HOUR = 3_600_000_000


class Books:
    """A ledger hooked to an engine, and what may happen to it."""

    def __init__(self, world: World, device: Device, chance: random.Random) -> None:
        self.world, self.device, self.chance = world, device, chance
        self.tenant = world.alice.did
        self.messages: list[Message] = []
        self.open()
        self.ledger.register(Tenant(self.tenant))
        self.ledger.set_endpoints(self.tenant, URLS[:2])

    def open(self) -> None:
        self.ledger = Ledger(self.device.database, self.device.dwn.store)
        self.ledger.open()
        self.device.dwn.in_transaction[:] = [self.ledger.applied]

    @property
    def endpoint(self) -> Endpoint:
        return self.chance.choice(self.ledger.endpoints(self.tenant))

    @property
    def outcome(self) -> Outcome:
        return self.chance.choice(OUTCOMES)

    def known(self) -> list[tuple[int, str]]:
        return self.device.dwn.store.entries_after(self.tenant, 0, 1000)

    async def write(self) -> None:
        more = {"protocol": "http://p", "protocol_path": "note"} if self.chance.random() < 0.5 else {}
        self.messages.append(await self.device.write(b"%d" % self.chance.randrange(10**9), **more))

    async def update(self) -> None:
        if self.messages:
            place = self.chance.randrange(len(self.messages))
            self.messages[place] = await self.device.write(b"new", existing=self.messages[place])

    async def delete(self) -> None:
        if self.messages:
            await self.device.delete(self.messages.pop(self.chance.randrange(len(self.messages))))

    async def pull(self) -> None:
        alice, clock = self.world.alice, self.world.clock
        message = await compose.records_write(alice.signer, clock, data=b"there", data_format="text/plain")
        if self.chance.random() < 0.5:
            self.listing([cid_of(message)], {cid_of(message)})
        await self.device.dwn.process_message(self.tenant, message, b"there", source=self.endpoint.url)

    async def undone(self) -> None:
        def fail(_: object) -> None:
            raise RuntimeError("power cut")

        self.device.dwn.in_transaction.append(fail)
        with pytest.raises(RuntimeError):
            await self.device.write(b"%d" % self.chance.randrange(10**9))
        self.device.dwn.in_transaction.remove(fail)

    async def window(self) -> None:
        self.ledger.outbox.open_window(self.endpoint.id)

    async def send(self) -> None:
        if known := self.known():
            seq, cid = self.chance.choice(known)
            self.ledger.outbox.record(self.endpoint.id, [(Item(seq, cid, ""), self.outcome)], 0)

    async def list(self) -> None:
        there = [f"there-{self.chance.randrange(30)}" for _ in range(3)]
        here = [cid for _, cid in self.known() if self.chance.random() < 0.2]
        self.listing([*there, *here], set(there))

    def listing(self, cids: list[str], missing: set[str]) -> None:
        listed = Listing(list(dict.fromkeys(cids)), {"at": self.chance.random()}, {"at": 0})
        self.ledger.listed(self.endpoint, "all", listed, missing, 0)

    async def list_everything(self) -> None:
        there = [f"there-{self.chance.randrange(30)}" for _ in range(3)]
        here = [cid for _, cid in self.known() if self.chance.random() < 0.5]
        self.ledger.relisted(self.endpoint, {"all": Listing([*here, *there], {"at": 1})}, set(there), 0)

    async def fetch(self) -> None:
        endpoint, inbox = self.endpoint, self.ledger.inbox
        if rows := inbox.unsettled(endpoint.id):
            cid = self.chance.choice(rows).cid
            match self.chance.randrange(4):
                case 0:
                    inbox.gone(endpoint.id, cid)
                case 1:
                    inbox.set_aside(endpoint.id, cid, "record")
                case 2:
                    self.ledger.superseded(self.tenant, cid)
                case _:
                    inbox.failed(endpoint.id, cid, self.outcome, 0)

    async def time(self) -> None:
        for side in (self.ledger.inbox, self.ledger.outbox):
            side.due(self.endpoint.id, self.chance.randrange(HOUR))

    async def retry(self) -> None:
        self.ledger.retry(self.endpoint, None)

    async def nodes(self) -> None:
        self.ledger.set_endpoints(self.tenant, self.chance.sample(URLS, 2))

    async def scope(self) -> None:
        self.ledger.register(Tenant(self.tenant, self.chance.choice([None, ("http://p",)])))

    async def restart(self) -> None:
        self.open()


@pytest.mark.parametrize("seed", range(8))
async def test_1_and_2_they_are_right_after_whatever_happens(seed: int, tmp_path: Path) -> None:
    world = await World.make(tmp_path, ())
    books = Books(world, await world.device(), random.Random(seed))
    definition = {"protocol": "http://p", "published": True, "types": {"note": {}}, "structure": {"note": {}}}
    configure = await compose.protocols_configure(world.alice.signer, world.clock, definition=definition)
    assert (await books.device.dwn.process_message(books.tenant, configure))["status"]["code"] == 202
    often = [books.write, books.update, books.pull, books.window, books.send, books.list, books.fetch, books.time]
    seldom = [books.delete, books.undone, books.list_everything, books.retry, books.nodes, books.scope, books.restart]
    for _ in range(150):
        step = books.chance.choice(often * 3 + seldom)
        await step()
        assert miscounted(books.ledger) == [], step.__name__
        for url in books.ledger.endpoints(books.tenant):
            for side in (books.ledger.outbox, books.ledger.inbox):
                assert side.summary(url.id).unsettled == len(side.unsettled(url.id))


async def test_they_cost_the_database_no_page(tmp_path: Path) -> None:
    world = await World.make(tmp_path, ("/a",))
    world.network.faults["/a"] = lambda method, message: reply_of(500)
    device = await world.device()
    await device.sync.now()
    db = device.database.connection
    assert {name for (name,) in db.execute("SELECT name FROM temp.sqlite_schema WHERE type = 'table'")} == {
        "sync_total",
        "sync_ahead",
    }
    await device.write()
    [status] = device.sync.status()
    assert status.pending_out == 1
    assert db.execute("SELECT count(*) FROM sync_out").get == 0


class FailingPages(MemoryPages):
    """Pages of which those that are written while `fails` are not stored."""

    fails = False

    async def write(self, pages: Mapping[int, bytes], page_count: int, *, makes_room: bool = False) -> None:
        if self.fails:
            raise StorageFull("no room")
        await super().write(pages, page_count)


async def test_they_are_counted_anew_when_what_was_committed_is_undone(tmp_path: Path) -> None:
    world, pages = await World.make(tmp_path, ()), FailingPages()
    database = await open_paged(pages)
    dwn = Dwn(database=database, blobs=MemoryBlobs(), resolver=world.keys, crypto=CRYPTO, clock=world.clock)
    await dwn.open()
    ledger = Ledger(database, dwn.store)
    ledger.open()
    dwn.in_transaction.append(ledger.applied)
    ledger.register(Tenant(world.alice.did))
    ledger.set_endpoints(world.alice.did, URLS[:1])
    [endpoint] = ledger.endpoints(world.alice.did)

    async def write() -> None:
        message = await compose.records_write(world.alice.signer, world.clock, data=b"x", data_format="text/plain")
        await dwn.process_message(world.alice.did, message, b"x")

    await write()
    pages.fails = True
    with pytest.raises(StorageFull):
        await write()
    assert miscounted(ledger) == []
    assert ledger.outbox.summary(endpoint.id).unsettled == 1
    pages.fails = False
    await write()
    assert ledger.outbox.summary(endpoint.id).unsettled == 2
    await database.close()


async def test_a_page_after_the_other_gives_all_in_their_order(tmp_path: Path) -> None:
    world = await World.make(tmp_path, ("/a", "/b"))
    device = await world.device()
    messages = [await device.write(b"%d" % number) for number in range(6)]
    refused = {cid_of(messages[1]), cid_of(messages[4])}
    for node in ("/a", "/b"):
        world.network.faults[node] = lambda method, message: (
            reply_of(400, "no") if method == "RecordsWrite" and cid_of(message) in refused else None
        )
    await device.sync.now()
    for node in ("/a", "/b"):
        world.network.faults[node] = lambda method, message: reply_of(507, "full")
    await device.sync.now()
    messages += [await device.write(b"more %d" % number) for number in range(3)]
    everything = device.sync.unsettled(limit=None)
    assert everything.cursor is None and len(everything) == 10
    assert [row.message_cid for row in everything if row.endpoint.endswith("/a")] == [
        cid_of(messages[number]) for number in (1, 4, 6, 7, 8)
    ]
    for size in (1, 2, 3, 4, 5, 9, 10, 11):
        found, page = [], device.sync.unsettled(limit=size)
        found += page
        while page.cursor is not None:
            assert len(page) == size
            page = device.sync.unsettled(limit=size, cursor=page.cursor)
            found += page
        assert found == everything
    first, last = cid_of(messages[1]), cid_of(messages[8])

    def asked(
        endpoint: str | None = None, states: Sequence[State] = (), message_cids: Sequence[str] = ()
    ) -> list[Unsettled]:
        return device.sync.unsettled(
            wanted=Wanted(endpoint, frozenset(states) or None, frozenset(message_cids) or None)
        )

    assert [row.message_cid for row in asked(message_cids=[last, first, "none"])] == [first, last] * 2
    one = asked(endpoint=everything[0].endpoint)
    assert one == everything[:5]
    assert asked(states=[State.REFUSED]) == [row for row in everything if row.state is State.REFUSED]
    assert len(asked(states=[State.REFUSED])) == 4
    # The whole endpoint is blocked, so all that is pending is.
    assert len(asked(states=[State.BLOCKED])) == 6
    assert asked(states=[State.PENDING, State.WAITING, State.DISPLACED]) == []
    assert [status.refused for status in device.sync.status()] == [5, 5]


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"limit": -1}, {"cursor": ""}, {"cursor": "1-2-3"}, {"cursor": "x"}])
async def test_a_page_that_cannot_be_is_refused(wrong: dict[str, object], tmp_path: Path) -> None:
    device = await (await World.make(tmp_path, ())).device()
    with pytest.raises(InvalidArgument):
        device.sync.unsettled(**wrong)
