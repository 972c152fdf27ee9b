"""The numbers are the invariants of `web5.sync.plan.pull`."""

import itertools
from typing import Any

import pytest

from web5.crypto.encoding import b64url_encode
from web5.dwn.data import DataStream
from web5.dwn.values.cid import message_cid
from web5.sync.plan import pull as pull_plan
from web5.sync.plan.dependencies import record_key
from web5.sync.plan.policy import Outcome
from web5.sync.plan.pull import PAGE_LIMIT, Candidate, PageWalk, ReorderBuffer, read_entry, read_reply
from web5.sync.states import State


def write(record: str, time: str = "1", size: int = 3) -> dict[str, Any]:
    descriptor = {"interface": "Records", "method": "Write", "messageTimestamp": time, "dataSize": size}
    return {"recordId": record, "descriptor": descriptor}


def delete(record: str, time: str = "9") -> dict[str, Any]:
    descriptor = {"interface": "Records", "method": "Delete", "messageTimestamp": time, "recordId": record}
    return {"descriptor": descriptor}


def entry(record: str, time: str = "1", initial: dict[str, Any] | None = None) -> dict[str, Any]:
    found = {**write(record, time), "encodedData": b64url_encode(b"abc")}
    return found if initial is None else {**found, "initialWrite": initial}


def read(message: dict[str, Any], data: bytes | None = b"abc") -> dict[str, Any]:
    return {"entry": {"message": message, **({} if data is None else {"data": DataStream(data)})}}


def candidate(message: dict[str, Any], data: bytes | None = b"abc") -> Candidate:
    return Candidate(message_cid(message), message, data)


def test_1_a_message_that_was_not_asked_for_is_refused() -> None:
    asked = message_cid(write("a"))
    outcome = read_reply(asked, read(write("b")))
    assert isinstance(outcome, Outcome)
    assert outcome.state is State.REFUSED
    assert asked in outcome.detail and message_cid(write("b")) in outcome.detail


@pytest.mark.parametrize(
    "reply",
    [{}, {"entry": None}, {"entry": []}, {"entry": {}}, {"entry": {"message": "m"}}, {"entry": {"message": {"x": 1}}}],
)
def test_1_garbage_is_refused(reply: dict[str, Any]) -> None:
    outcome = read_reply(message_cid(write("a")), reply)
    assert isinstance(outcome, Outcome)
    assert outcome.state is State.REFUSED


def test_1_the_message_that_was_asked_for_is_taken_with_its_data() -> None:
    message = write("a")
    found = read_reply(message_cid(message), read(message))
    assert isinstance(found, Candidate)
    assert found.message == message
    assert isinstance(found.data, DataStream)


def test_data_of_no_bytes_is_data_though_no_server_gives_it() -> None:
    message = write("a", size=0)
    found = read_reply(message_cid(message), read(message, None))
    assert isinstance(found, Candidate)
    assert (found.data, found.lacks_data) == (b"", False)


def test_2_a_write_without_data_waits_for_what_supersedes_it() -> None:
    buffer = ReorderBuffer()
    initial, update = candidate(write("a"), None), candidate(write("a", "2"))
    assert buffer.add(initial) == []
    ((left, outcome),) = buffer.incomplete()
    assert (left, outcome.state) == (initial, State.WAITING)
    assert buffer.add(update) == [initial, update]
    assert buffer.incomplete() == []


def test_2_a_delete_supersedes_too() -> None:
    buffer = ReorderBuffer()
    initial, gone = candidate(write("a"), None), candidate(delete("a"), None)
    assert buffer.add(initial) == []
    assert buffer.add(gone) == [initial, gone]


def test_2_and_3_in_every_order_the_initial_write_is_applied_first_and_nothing_is_lost() -> None:
    initial, update, gone = candidate(write("a"), None), candidate(write("a", "2")), candidate(delete("a"), None)
    for order in itertools.permutations([initial, update, gone]):
        buffer, applied = ReorderBuffer(), list[str]()
        for one in order:
            for now in buffer.add(one):
                if now is not initial and initial.cid not in applied:
                    assert buffer.hold([now], record_key("a"))
                else:
                    applied.append(now.cid)
        assert applied[0] == initial.cid
        assert sorted(applied) == sorted(one.cid for one in order)
        assert buffer.incomplete() == []


def test_2_a_write_without_data_that_came_while_its_update_was_refused_for_want_of_it_goes_before_that() -> None:
    buffer = ReorderBuffer()
    initial, update = candidate(write("a"), None), candidate(write("a", "2"))
    assert buffer.add(update) == [update]
    assert buffer.add(initial) == []
    assert buffer.join([update], "protocol:p") == []
    assert buffer.join([update], record_key("a")) == [initial, update]
    assert buffer.join([update], record_key("a")) == buffer.incomplete() == []
    assert buffer.add(initial) == []
    assert buffer.join([candidate(write("a", "2"), DataStream(b"abc"))], record_key("a")) == []  # type: ignore[arg-type]


def test_3_what_came_too_early_is_given_back_with_what_it_waits_for_the_oldest_first() -> None:
    buffer = ReorderBuffer()
    late, early, other = candidate(write("a", "3")), candidate(write("b", "2")), candidate(write("c"))
    assert buffer.hold([late], "protocol:p") and buffer.hold([early], "protocol:p") and buffer.hold([other], "record:x")
    assert buffer.release(["record:nothing"]) == []
    assert buffer.release(["record:y", "protocol:p"]) == [[early], [late]]
    assert buffer.release(["protocol:p"]) == []
    assert buffer.release(["record:x"]) == [[other]]


def test_3_a_child_that_waits_for_its_parent_is_not_taken_for_a_later_state_of_it() -> None:
    buffer = ReorderBuffer()
    parent, child, update = candidate(write("a"), None), candidate(write("b", "2")), candidate(write("a", "2"))
    assert buffer.hold([child], record_key("a"))
    assert buffer.add(parent) == []
    assert buffer.add(update) == [parent, update]
    assert buffer.release([record_key("a")]) == [[child]]


def test_3_there_is_a_limit_to_what_is_kept_and_streams_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull_plan, "HELD_BYTES", 5_000)
    buffer = ReorderBuffer()
    large = candidate(write("a"), bytes(2_000))
    assert buffer.hold([large], "k")
    assert not buffer.hold([candidate(write("b"))], "k")
    assert not buffer.hold([Candidate("c", write("c"), DataStream(b"abc"))], "j")
    assert buffer.release(["k"]) == [[large]]
    assert buffer.hold([candidate(write("b"))], "k")


def test_messages_of_no_record_and_of_other_records_are_not_held_up() -> None:
    buffer = ReorderBuffer()
    configure = candidate({"descriptor": {"interface": "Protocols", "method": "Configure"}}, None)
    other = candidate(write("b"))
    assert buffer.add(candidate(write("a"), None)) == []
    assert buffer.add(configure) == [configure]
    assert buffer.add(other) == [other]


def test_4_the_first_query_finds_what_is_there_now_newest_first_and_follows_the_cursor() -> None:
    walk = PageWalk({message_cid(write("a"))}, None)
    assert walk.query(1_700_000_000_000_000) == {
        "filter": {"dateUpdated": {"to": "2023-11-14T22:14:20.000000Z"}},
        "date_sort": "createdDescending",
        "pagination": {"limit": PAGE_LIMIT},
    }
    cursor = {"messageCid": "x", "value": "y"}
    assert len(walk.feed({"entries": [entry("a")], "cursor": cursor})) == 1
    assert walk.more
    assert walk.query(0)["pagination"] == {"limit": PAGE_LIMIT, "cursor": cursor}


def test_4_later_queries_ask_for_what_was_updated_since_with_ten_minutes_of_overlap() -> None:
    walk = PageWalk(set(), 1_700_000_000_000_000)
    updated = {"from": "2023-11-14T22:03:20.000000Z", "to": "2023-11-14T22:24:20.000000Z"}
    assert walk.query(1_700_000_600_000_000)["filter"] == {"dateUpdated": updated}


@pytest.mark.parametrize(
    "reply",
    [
        {"entries": [entry("known")], "cursor": {"messageCid": "x", "value": "y"}},
        {"entries": [entry("a")]},
        {"entries": [entry("a")], "cursor": "garbage"},
        {"entries": [], "cursor": {"messageCid": "x", "value": "y"}},
        {"entries": "garbage"},
        {},
    ],
)
def test_4_pages_end_where_they_bring_nothing_or_there_are_no_more(reply: dict[str, Any]) -> None:
    walk = PageWalk({message_cid(write("a"))}, None)
    walk.feed(reply)
    assert not walk.more


def _walk(size: int, data_bytes: int) -> PageWalk:
    """A walk that found so many records with so much data in its first page."""
    entries = [{**entry(f"r{number}"), "encodedData": b64url_encode(bytes(data_bytes))} for number in range(size)]
    missing = {message_cid(write(f"r{number}")) for number in range(5_000)}
    walk = PageWalk(missing, None)
    walk.feed({"entries": entries, "cursor": {"messageCid": "x", "value": "y"}})
    return walk


def _limit(walk: PageWalk) -> int:
    limit: int = walk.query(0)["pagination"]["limit"]
    return limit


def test_pages_of_small_records_become_longer_up_to_a_limit() -> None:
    walk, limits = _walk(100, 100), []
    for _ in range(3):
        limits.append(_limit(walk))
        walk.feed({"entries": [entry(f"{limits}{number}") for number in range(100)], "cursor": {"messageCid": "x"}})
    assert limits == [400, 1000, 1000]


@pytest.mark.parametrize(("data_bytes", "expected"), [(30_000, 100), (8_000, 330), (0, 400)])
def test_a_page_has_a_few_megabytes_whatever_its_records_are(data_bytes: int, expected: int) -> None:
    assert _limit(_walk(100, data_bytes)) == pytest.approx(expected, rel=0.1)


def test_no_page_is_longer_than_what_is_missing() -> None:
    walk = PageWalk({message_cid(write(f"r{number}")) for number in range(250)}, None)
    walk.feed({"entries": [entry(f"r{number}") for number in range(100)], "cursor": {"messageCid": "x"}})
    assert _limit(walk) == 150


def test_a_walk_that_is_to_be_short_has_short_pages() -> None:
    walk = PageWalk({message_cid(write(f"r{number}")) for number in range(5_000)}, None, most=5)
    walk.feed({"entries": [entry(f"r{number}") for number in range(100)], "cursor": {"messageCid": "x"}})
    assert _limit(walk) == PAGE_LIMIT


def test_more_entries_than_were_asked_for_are_left_out() -> None:
    walk = PageWalk(set(), None)
    assert len(walk.feed({"entries": [entry(f"r{number}") for number in range(150)]})) == PAGE_LIMIT


def test_a_long_page_that_fails_is_asked_for_as_short_ones_from_then_on() -> None:
    walk = _walk(100, 100)
    assert walk.shrink()
    assert _limit(walk) == PAGE_LIMIT
    assert not walk.shrink()
    walk.feed({"entries": [entry("r4000")], "cursor": {"messageCid": "x"}})
    assert _limit(walk) == PAGE_LIMIT


def test_an_entry_is_its_initial_write_without_data_and_its_newest_with() -> None:
    initial = write("a")
    chain = read_entry(entry("a", "2", initial={**initial, "encodedData": "AAAA"}))
    assert [(one.cid, one.data) for one in chain] == [
        (message_cid(initial), None),
        (message_cid(write("a", "2")), b"abc"),
    ]


@pytest.mark.parametrize(
    "bad",
    [
        None,
        [],
        {},
        {**entry("a"), "encodedData": "not base64url!"},
        write("a"),
        {**delete("a"), "encodedData": ""},
        entry("a", "2", initial=write("b")),
        {**entry("a"), "initialWrite": "x"},
        {"encodedData": "", "descriptor": {"interface": "Records", "method": "Write"}},
    ],
)
def test_an_entry_that_cannot_be_applied_is_left_to_be_read_alone(bad: Any) -> None:
    assert read_entry(bad) == []


def test_a_message_that_no_node_can_have_taken_is_not_held() -> None:
    message = {"descriptor": {"interface": "Records", "method": "Write", "x": "x" * 600_000}}
    found = read_reply(message_cid(message), {"entry": {"message": message}})
    assert isinstance(found, Outcome) and "larger than any" in found.detail
