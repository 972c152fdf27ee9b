"""What an endpoint may list next though it is known to hold it."""

import pytest

from web5.sync.exchange.audit.unlisted import MOST, Unlisted, UnlistedOf
from web5.sync.states import Listing


def listing(*cids: str) -> Listing:
    return Listing(list(cids), {"messageCid": cids[-1], "value": "1"} if cids else None)


def listed(unlisted: Unlisted, one: Listing, *, whole: bool = True) -> None:
    unlisted.begin()
    unlisted.ended(one, whole=whole)


def test_nothing_is_evidence_until_a_listing_has_ended() -> None:
    unlisted = Unlisted()
    unlisted.begin()
    assert unlisted.others(["a"]) == []
    unlisted.ended(listing("a"), whole=True)
    assert unlisted.others(["a"]) == ["a"]


def test_what_was_sent_is_expected_until_it_is_listed() -> None:
    unlisted = Unlisted()
    listed(unlisted, listing())
    unlisted.add("sent")
    assert unlisted.others(["sent", "other"]) == ["other"]
    listed(unlisted, listing("sent"))
    assert unlisted.others(["sent"]) == ["sent"]


def test_what_is_sent_during_a_listing_is_expected_afterwards() -> None:
    unlisted = Unlisted()
    unlisted.begin()
    unlisted.add("sent")
    unlisted.ended(listing("a"), whole=True)
    assert unlisted.others(["sent"]) == []


def test_a_listing_that_goes_on_is_no_evidence_for_the_next() -> None:
    unlisted = Unlisted()
    listed(unlisted, listing("a"), whole=False)
    assert unlisted.others(["b"]) == []
    listed(unlisted, listing("b"))
    assert unlisted.others(["b"]) == ["b"]


@pytest.mark.parametrize("cursor", [None, {}, {"messageCid": "a", "value": "1"}])
def test_a_log_whose_cursor_is_not_at_its_end_is_never_evidence(cursor: dict[str, str] | None) -> None:
    unlisted = Unlisted()
    listed(unlisted, Listing(["a", "b"], cursor))
    listed(unlisted, listing("c"))
    assert unlisted.others(["a"]) == []


def test_too_much_to_be_kept_in_mind_is_no_evidence_until_the_next_listing() -> None:
    unlisted = Unlisted()
    listed(unlisted, listing())
    for number in range(MOST + 1):
        unlisted.add(str(number))
    assert unlisted.others(["other"]) == []
    listed(unlisted, listing("0"))
    assert unlisted.others(["other"]) == ["other"]


def test_what_overflows_during_a_listing_takes_its_evidence_too() -> None:
    unlisted = Unlisted()
    unlisted.begin()
    for number in range(MOST + 1):
        unlisted.add(str(number))
    unlisted.ended(listing("0"), whole=True)
    assert unlisted.others(["1"]) == []


def test_each_log_of_an_endpoint_takes_note_of_what_is_sent_there() -> None:
    all_of_them = UnlistedOf()
    logs = [all_of_them[1]["chat"], all_of_them[1]["diary"], all_of_them[2]["chat"]]
    for log in logs:
        listed(log, listing())
    all_of_them.sent(1, "sent")
    all_of_them.sent(3, "sent")
    assert [log.others(["sent"]) for log in logs] == [[], [], ["sent"]]
