"""The ledger by itself, beside a real engine. The numbers are the invariants of `web5.sync.ledger.ledger`."""

from pathlib import Path

import pytest

from tests.ledger_totals import miscounted
from tests.unit.sync.world import Device, World, cid_of
from web5.dwn import compose
from web5.sync.ledger import entries
from web5.sync.ledger.cursors import REPEATED, LogPosition
from web5.sync.ledger.ledger import Endpoint, Ledger, Tenant
from web5.sync.plan.dependencies import record_key
from web5.sync.plan.policy import Outcome, classify, waiting_for
from web5.sync.plan.push import Item
from web5.sync.states import Listing, State

A, B = "http://a", "http://b"
TAKEN = classify({"status": {"code": 202, "detail": "Accepted"}})
REFUSED = classify({"status": {"code": 400, "detail": "SchemaValidatorFailure: no"}})
WAITS = classify({"status": {"code": 400, "detail": "RecordsWriteGetInitialWriteNotFound: none"}})


class Books:
    """A ledger hooked to an engine, with two endpoints."""

    def __init__(self, world: World, device: Device) -> None:
        self.world, self.device, self.tenant = world, device, world.alice.did
        self.ledger = Ledger(device.database, device.dwn.store)
        self.ledger.open()
        device.dwn.in_transaction.append(self.ledger.applied)
        self.ledger.register(Tenant(self.tenant))
        self.ledger.set_endpoints(self.tenant, [A, B])

    def __getitem__(self, url: str) -> Endpoint:
        return next(endpoint for endpoint in self.ledger.endpoints(self.tenant) if endpoint.url == url)

    def out(self, url: str) -> list[str]:
        return [row.cid for row in self.ledger.outbox.unsettled(self[url].id)]

    def incoming(self, url: str) -> list[str]:
        return [row.cid for row in self.ledger.inbox.unsettled(self[url].id)]

    def listed(
        self, url: str, cids: list[str], missing: set[str], cursor: dict | None, begun: dict | None = None
    ) -> None:
        self.ledger.listed(self[url], "all", Listing(cids, cursor, begun), missing, 0)

    def cursor(self, url: str) -> dict | None:
        return self.ledger.cursors.get(self[url].id, "all").cursor

    def window(self, url: str) -> int:
        return self.ledger.outbox.open_window(self[url].id)

    def seq(self, cid: str) -> int:
        return next(seq for seq, one in self.device.dwn.store.entries_after(self.tenant, 0, 1000) if one == cid)

    def record(self, url: str, cid: str, outcome: Outcome, now: int = 0) -> None:
        self.ledger.outbox.record(self[url].id, [(Item(self.seq(cid), cid, ""), outcome)], now)

    async def remote_message(self, data: bytes = b"remote") -> tuple[dict, bytes]:
        alice, clock = self.world.alice, self.world.clock
        return await compose.records_write(alice.signer, clock, data=data, data_format="text/plain"), data

    async def pull(self, message: dict, data: bytes, source: str) -> None:
        reply = await self.device.dwn.process_message(self.tenant, message, data, source=source)
        assert reply["status"]["code"] == 202


@pytest.fixture
async def books(tmp_path: Path) -> Books:
    world = await World.make(tmp_path, nodes=())
    device = Device(world, tmp_path / "device")
    await device.dwn.open()
    return Books(world, device)


async def test_1_and_2_a_write_is_pending_everywhere_before_and_after_its_window(books: Books) -> None:
    cids = [cid_of(await books.device.write(b"%d" % number)) for number in range(3)]
    assert books.out(A) == books.out(B) == cids
    assert books.window(A) == 3
    assert books.window(A) == 0
    assert books.out(A) == books.out(B) == cids
    assert books.ledger.outbox.summary(books[A].id)[:2] == (3, 0)
    books.record(A, cids[1], TAKEN)
    assert (books.out(A), books.out(B)) == ([cids[0], cids[2]], cids)


async def test_1_and_2_outcomes_ahead_of_the_window_are_kept(books: Books) -> None:
    """As `send` does, which does not wait for its turn."""
    cids = [cid_of(await books.device.write(b"%d" % number)) for number in range(4)]
    books.record(A, cids[2], TAKEN)
    books.record(A, cids[3], REFUSED, now=10)
    assert books.out(A) == [cids[0], cids[1], cids[3]]
    assert books.ledger.outbox.summary(books[A].id)[:2] == (3, 1)
    books.window(A)
    assert books.out(A) == [cids[0], cids[1], cids[3]]
    rows = {row.cid: row for row in books.ledger.outbox.unsettled(books[A].id)}
    assert (rows[cids[3]].state, rows[cids[3]].code, rows[cids[3]].attempts) == (State.REFUSED, 400, 1)
    assert [row.cid for row in books.ledger.outbox.due(books[A].id, 11)] == cids[:2]
    assert books.ledger.outbox.is_settled(books[A].id, books.seq(cids[2]))
    assert not books.ledger.outbox.is_settled(books[A].id, books.seq(cids[3]))


async def test_1_what_the_engine_pruned_needs_no_row(books: Books) -> None:
    first = await books.device.write(b"1")
    second = await books.device.write(b"2", existing=first)
    third = await books.device.write(b"3", existing=second)
    assert books.out(A) == [cid_of(first), cid_of(third)]
    assert books.window(A) == 2


async def test_3_what_was_pulled_from_an_endpoint_is_pending_for_the_others_only(books: Books) -> None:
    message, data = await books.remote_message()
    await books.pull(message, data, A)
    assert (books.out(A), books.out(B)) == ([], [cid_of(message)])
    books.window(A)
    books.window(B)
    assert (books.out(A), books.out(B)) == ([], [cid_of(message)])


async def test_3_marks_of_what_is_settled_go_when_the_window_has_passed_them(books: Books) -> None:
    pending = cid_of(await books.device.write())
    for number in range(5):
        await books.pull(*await books.remote_message(b"%d" % number), A)
    marks = "SELECT count(*) FROM sync_out WHERE endpoint = ? AND state = 'settled'"
    assert books.device.database.connection.execute(marks, (books[A].id,)).fetchone() == (5,)
    books.window(A)
    assert books.device.database.connection.execute(marks, (books[A].id,)).fetchone() == (0,)
    assert books.out(A) == [pending]


async def test_3_what_comes_where_nothing_is_pending_leaves_no_mark(books: Books) -> None:
    db = books.device.database.connection
    rows = "SELECT count(*) FROM sync_out WHERE endpoint = ?"
    for number in range(3):
        await books.pull(*await books.remote_message(b"%d" % number), A)
        assert db.execute(rows, (books[A].id,)).fetchone() == (0,)
    assert (books.out(A), len(books.out(B))) == ([], 3)
    own = cid_of(await books.device.write())
    later, data = await books.remote_message(b"later")
    await books.pull(later, data, A)
    assert books.out(A) == [own]
    assert books.window(A) == 2  # the own one, and the mark of what came after it
    books.record(A, own, REFUSED, now=10)
    await books.pull(*await books.remote_message(b"after what was refused"), A)
    assert books.out(A) == [own]
    assert db.execute(rows, (books[A].id,)).fetchone() == (1,)
    assert not books.ledger.outbox.is_settled(books[A].id, books.seq(own))
    assert books.ledger.outbox.is_settled(books[A].id, books.seq(cid_of(later)))
    assert len(books.out(B)) == 6
    assert not miscounted(books.ledger)


async def test_3_what_both_listed_is_pending_for_none(books: Books) -> None:
    message, data = await books.remote_message()
    cid = cid_of(message)
    for url in (A, B):
        books.listed(url, [cid], {cid}, None)
    await books.pull(message, data, A)
    assert books.out(A) == books.out(B) == books.incoming(A) == books.incoming(B) == []


async def test_3_a_listing_settles_what_was_pending_or_refused(books: Books) -> None:
    cids = [cid_of(await books.device.write(b"%d" % number)) for number in range(4)]
    books.record(A, cids[0], REFUSED)
    books.listed(A, cids[:2], set(), {"messageCid": "x", "value": 1})
    assert books.out(A) == cids[2:]
    books.window(A)
    assert books.out(A) == cids[2:]
    books.listed(A, cids, set(), None)
    assert (books.out(A), books.out(B)) == ([], cids)
    assert books.cursor(A) == {"messageCid": "x", "value": 1}


async def test_3_the_hook_undoes_itself_with_the_message(books: Books) -> None:
    message, data = await books.remote_message()
    cid = cid_of(message)
    books.listed(A, [cid], {cid}, None)

    def fail(applied: object) -> None:
        raise RuntimeError("power cut")

    books.device.dwn.in_transaction.append(fail)
    with pytest.raises(RuntimeError):
        await books.device.dwn.process_message(books.tenant, message, data, source=A)
    books.device.dwn.in_transaction.remove(fail)
    assert books.incoming(A) == [cid]
    assert books.world.held(books.device.dwn) == set()
    await books.pull(message, data, A)
    assert books.incoming(A) == books.out(A) == []


async def test_4_cursor_and_rows_are_stored_together_or_not_at_all(books: Books) -> None:
    with pytest.raises(TypeError):
        books.listed(A, ["one", "two"], {"one", "two"}, {"cannot": object()})
    assert (books.incoming(A), books.cursor(A)) == ([], None)
    books.listed(A, ["one", "two"], {"one", "two"}, {"value": 2})
    books.listed(A, ["two", "three"], {"two", "three"}, {"value": 3})
    assert (books.incoming(A), books.cursor(A)) == (["one", "two", "three"], {"value": 3})
    books.listed(A, [], set(), None)
    assert books.cursor(A) == {"value": 3}


async def test_5_a_failed_row_stays_with_its_reason_and_its_next_try(books: Books) -> None:
    inbox, endpoint = books.ledger.inbox, books[A].id
    books.listed(A, ["one", "two"], {"one", "two"}, None)
    inbox.failed(endpoint, "one", REFUSED, 1_000)
    inbox.failed(endpoint, "one", REFUSED, 2_000)
    row = inbox.unsettled(endpoint)[0]
    assert (row.cid, row.state, row.code, row.detail, row.attempts, row.next_try) == (
        *("one", State.REFUSED, 400, "SchemaValidatorFailure: no", 2),
        2_000 + 20 * 60 * 1_000_000,
    )
    assert [row.cid for row in inbox.due(endpoint, 3_000)] == ["two"]
    assert [row.cid for row in inbox.due(endpoint, row.next_try or 0)] == ["one", "two"]
    assert inbox.summary(endpoint)[:2] == (2, 1)
    inbox.failed(endpoint, "nobody", REFUSED, 1)
    assert inbox.summary(endpoint)[:2] == (2, 1)


async def test_a_backoff_that_a_clock_ahead_of_time_has_set_does_not_outlive_it(books: Books) -> None:
    year = 365 * 86_400 * 1_000_000
    cid = cid_of(await books.device.write())
    books.listed(A, ["there"], {"there"}, None)
    books.ledger.inbox.failed(books[A].id, "there", REFUSED, year)
    books.record(A, cid, REFUSED, now=year)

    def due(now: int) -> list[str]:
        found = books.ledger.inbox.due(books[A].id, now) + books.ledger.outbox.due(books[A].id, now)
        return [row.cid for row in found]

    assert due(year) == []
    assert due(1) == ["there", cid]


async def test_what_waits_is_released_when_just_that_comes(books: Books) -> None:
    message, data = await books.remote_message()
    waits = waiting_for(record_key(message["recordId"]))
    books.listed(A, ["early", "other", "bad"], {"early", "other", "bad"}, None)
    for cid, outcome in (("early", waits), ("other", waiting_for("protocol:p")), ("bad", REFUSED)):
        books.ledger.inbox.failed(books[A].id, cid, outcome, 0)
    await books.device.write()
    assert books.ledger.inbox.due(books[A].id, 1) == []
    await books.pull(message, data, B)
    assert [row.cid for row in books.ledger.inbox.due(books[A].id, 1)] == ["early"]


async def test_what_waits_to_be_sent_is_released_when_the_endpoint_takes_just_that(books: Books) -> None:
    first, second, third = [cid_of(await books.device.write()) for _ in range(3)]
    books.record(B, second, waiting_for("record:x"))

    def due() -> list[str]:
        return [row.cid for row in books.ledger.outbox.due(books[B].id, 1)]

    books.ledger.outbox.record(books[B].id, [(Item(books.seq(first), first, "", provides=("record:y",)), TAKEN)], 0)
    assert second not in due()
    books.ledger.outbox.record(books[B].id, [(Item(books.seq(third), third, "", provides=("record:x",)), TAKEN)], 0)
    assert second in due()


@pytest.mark.parametrize("way", ["listed", "listed with everything", "brought"])
async def test_what_waits_to_be_sent_is_released_when_somebody_else_has_brought_that_there(
    books: Books, way: str
) -> None:
    message, data = await books.remote_message()
    waits = cid_of(await books.device.write())
    books.window(A)
    books.record(A, waits, waiting_for(record_key(message["recordId"])))

    def due() -> list[str]:
        return [row.cid for row in books.ledger.outbox.due(books[A].id, 1)]

    await books.pull(message, data, A if way == "brought" else B)
    assert (waits in due()) == (way == "brought")
    if way == "listed":
        books.listed(A, [cid_of(message)], set(), None)
    elif way == "listed with everything":
        books.ledger.relisted(books[A], {"all": Listing([cid_of(message)], None)}, set(), 0)
    assert waits in due()
    books.record(A, waits, waiting_for(record_key(message["recordId"])))
    books.listed(A, [cid_of(message)], set(), None)
    assert waits not in due(), "it was there already"


async def test_a_listing_is_repeated_with_the_next_one_to_see_that_its_end_is_still_there(books: Books) -> None:
    def feed() -> tuple[object, ...]:
        found = books.ledger.cursors.get(books[A].id, "all")
        return found.cursor, found.start, found.batch, found.repeats_batch

    assert feed() == (None, None, (), False)
    books.listed(A, ["1", "2"], {"1", "2"}, {"at": 2})
    assert feed() == ({"at": 2}, None, ("1", "2"), True)
    books.listed(A, ["1", "2", "3"], {"3"}, {"at": 3})
    assert feed() == ({"at": 3}, {"at": 2}, ("3",), True)
    books.listed(A, ["3"], {"3"}, {"at": 3}, {"at": 2})
    assert feed() == ({"at": 3}, {"at": 2}, ("3",), True)
    books.listed(A, ["3", "4", "5"], {"4"}, {"at": 5}, {"at": 2})
    assert feed() == ({"at": 5}, {"at": 3}, ("4", "5"), True)
    many = [f"m{number}" for number in range(REPEATED + 1)]
    books.listed(A, ["4", "5", *many], {*many}, {"at": 99}, {"at": 3})
    assert feed() == ({"at": 99}, {"at": 99}, (many[-1],), False)


async def test_what_a_listing_only_repeats_is_not_asked_for_again(books: Books) -> None:
    """It may be superseded here: each idle visit would fetch it anew."""
    books.listed(A, ["1", "2"], {"1", "2"}, {"at": 2})
    books.ledger.superseded(books.world.alice.did, "2")
    books.listed(A, ["1", "2", "3"], {"1", "2", "3"}, {"at": 3})
    assert books.incoming(A) == ["1", "3"]


@pytest.mark.parametrize(
    "again",
    [["3", "1", "2"], ["2", "1"], ["other", "1", "2", "3"]],
    ids=["its last first", "without its last", "another log"],
)
async def test_what_an_endpoint_did_not_give_and_lists_anew_is_asked_for_again(books: Books, again: list[str]) -> None:
    """It was wiped, so that it had nothing to give, and somebody has filled it again."""
    books.listed(A, ["1", "2", "3"], {"1", "2", "3"}, {"at": 3})
    for cid in ("1", "2", "3"):
        books.ledger.superseded(books.tenant, cid)
    books.listed(A, again, {"1", "2", "3"}, {"at": 6})
    assert {"1", "2"} <= set(books.incoming(A))


@pytest.mark.parametrize("passed", [True, False], ids=["before the cursor", "beyond it"])
async def test_a_delete_goes_once_more_to_where_its_record_came_to_after_it(books: Books, passed: bool) -> None:
    """The endpoint had answered it with 404, since it had nothing to delete."""
    note = await books.device.write(b"note")
    cids = [cid_of(note), cid_of(await books.device.delete(note))]
    if passed:
        books.window(A)
        books.window(B)
    for url in (A, B):
        for cid in cids:
            books.record(url, cid, TAKEN)
    books.listed(A, ["edit"], {"edit"}, {"at": 1})
    end = books.seq(cids[1]), cids[1]
    for _ in range(2):
        books.ledger.superseded(books.tenant, "edit", end)
        assert (books.out(A), books.out(B), books.incoming(A)) == ([cids[1]], [], [])
    books.window(A)
    books.record(A, cids[1], TAKEN)
    assert books.out(A) == []
    books.ledger.superseded(books.tenant, "edit", end)
    assert books.out(A) == []
    assert miscounted(books.ledger) == []


@pytest.mark.parametrize(
    ("cids", "cursor", "same"),
    [
        (["4", "5"], 5, True),
        (["5"], 5, True),
        (["4", "5", "6"], 6, True),
        (["6"], 6, True),
        (["5"], 7, False),
        (["3", "5"], 5, False),
        (["3", "4", "5", "6"], 6, False),
    ],
)
def test_a_listing_that_cannot_be_of_the_same_log_is_told(cids: list[str], cursor: int, same: bool) -> None:
    feed = LogPosition({"at": 5}, {"at": 3}, ("4", "5"))
    assert feed.is_continued_by(Listing(cids, {"at": cursor}, {"at": 3})) is same


async def test_7_a_listing_of_everything_overrules_what_was_believed(books: Books) -> None:
    cids = [cid_of(await books.device.write(b"%d" % number)) for number in range(4)]
    books.window(A)
    for cid in cids[:3]:
        books.record(A, cid, TAKEN)
    assert books.out(A) == [cids[3]]
    listings = {"all": Listing([cids[1], "new"], {"at": 9})}
    assert books.ledger.relisted(books[A], listings, {"new"}, 0) == 2
    assert (books.out(A), books.incoming(A)) == ([cids[0], cids[2], cids[3]], ["new"])
    assert books.window(A) == 3
    assert books.out(A) == [cids[0], cids[2], cids[3]]
    assert books.cursor(A) == {"at": 9}


def test_7_a_first_listing_that_shows_a_loss_is_not_taken_for_everything(books: Books) -> None:
    first = Listing(["one"], {"value": 1}, None)
    books.ledger.listed(books[A], "all", first, {"one"}, 5, may_have_lost=True)
    books.ledger.listed(books[B], "all", first, {"one"}, 5)
    assert (books[A].audited, books[B].audited) == (0, 5)


async def test_8_a_scope_leaves_out_what_is_of_no_protocol_in_it(books: Books) -> None:
    alice, device = books.world.alice, books.device
    await device.write()
    definition = {"protocol": "http://p", "published": True, "types": {"note": {}}, "structure": {"note": {}}}
    configure = await compose.protocols_configure(alice.signer, books.world.clock, definition=definition)
    assert (await device.dwn.process_message(alice.did, configure))["status"]["code"] == 202
    inside = await device.write(protocol="http://p", protocol_path="note")
    books.ledger.register(Tenant(books.tenant, ("http://p",)))
    assert books.out(A) == [cid_of(configure), cid_of(inside)]
    assert books.window(A) == 2
    assert books.ledger.outbox.summary(books[A].id)[:2] == (2, 0)


async def test_endpoints_that_go_take_their_rows_along_and_come_back_empty(books: Books) -> None:
    cid = cid_of(await books.device.write())
    books.window(A)
    books.record(A, cid, TAKEN)
    books.listed(A, ["x"], {"x"}, {"value": 1})
    assert books.ledger.set_endpoints(books.tenant, [B]) == ([], [A])
    assert [endpoint.url for endpoint in books.ledger.endpoints(books.tenant)] == [B]
    assert books.ledger.set_endpoints(books.tenant, [B, A]) == ([A], [])
    assert (books.out(A), books.incoming(A), books.cursor(A)) == ([cid], [], None)


async def test_success_and_failure_of_an_endpoint(books: Books) -> None:
    books.ledger.failed(books[A], classify({"status": {"code": 401, "detail": "Not a registered tenant."}}))
    error = books[A].error
    assert error and (error.state, error.code, error.detail) == (State.BLOCKED, 401, "Not a registered tenant.")
    books.listed(A, ["x"], {"x"}, None)
    books.ledger.ended(books[A], 20, 10)
    assert (books[A].error, books[A].last_success, books[A].caught_up) == (None, 20, None)
    books.ledger.inbox.gone(books[A].id, "x")
    books.ledger.ended(books[A], 40, 30)
    books.ledger.ended(books[A], 60, None)
    assert (books[A].last_success, books[A].caught_up) == (60, 30)


async def test_everything_is_there_after_a_restart(books: Books) -> None:
    cid = cid_of(await books.device.write())
    books.window(A)
    books.record(A, cid, REFUSED, now=5)
    books.listed(B, ["x"], {"x"}, {"value": 7})
    before = [books.ledger.outbox.unsettled(books[A].id), books.ledger.endpoints(books.tenant)]
    again = Ledger(books.device.database, books.device.dwn.store)
    again.open()
    assert again.tenants() == [books.tenant]
    assert [again.outbox.unsettled(books[A].id), again.endpoints(books.tenant)] == before
    assert [row.cid for row in again.inbox.unsettled(books[B].id)] == ["x"]
    again.unregister(books.tenant)
    assert again.tenants() == again.endpoints(books.tenant) == []


async def test_no_more_is_taken_of_a_list_than_there_is_room_for_and_the_rest_is_listed_again(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "MOST_LISTED", 3)
    cids = [f"cid{number}" for number in range(5)]
    books.listed(A, cids, set(cids), {"value": "5"})
    assert (books.incoming(A), books.cursor(A)) == (cids[:3], None)
    for cid in cids[:3]:
        books.ledger.inbox.gone(books[A].id, cid)
    books.listed(A, cids, set(cids[3:]), {"value": "5"})
    assert (books.incoming(A), books.cursor(A)) == (cids[3:], {"value": "5"})
    books.listed(B, cids[:3], set(cids), {"value": "3"})
    assert books.incoming(B) == cids[:3]


async def test_5_a_variant_is_no_work_as_long_as_it_is_listed(books: Books) -> None:
    inbox, id = books.ledger.inbox, books[A].id
    books.listed(A, ["variant", "other"], {"variant", "other"}, {"value": "2"})
    inbox.set_aside(id, "variant", "record")
    assert (books.incoming(A), inbox.variants(id)) == (["other"], {"variant": "record"})
    assert inbox.due(id, 0) == inbox.unsettled(id)
    assert (inbox.remaining(id, ["variant", "other"]), inbox.summary(id).unsettled) == (["other"], 1)
    assert (inbox.count(id, "settled"), books.ledger.inbox.count(books[B].id, "settled")) == (1, 0)
    listings = {"all": Listing(["variant", "new"], {"value": "3"})}
    books.ledger.relisted(books[A], listings, {"variant", "new"}, 0)
    assert (books.incoming(A), inbox.variants(id)) == (["new"], {"variant": "record"})
    books.ledger.relisted(books[A], {"all": Listing([], None)}, set(), 0)
    assert (books.incoming(A), inbox.variants(id)) == ([], {})
