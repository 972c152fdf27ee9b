"""The numbers are the invariants of `web5.sync.plan.push`."""

import random

from web5.errors import Unreachable
from web5.sync.plan.dependencies import record_key
from web5.sync.plan.policy import Outcome, classify, classify_error
from web5.sync.plan.push import Item, PushPlan
from web5.sync.states import State

TAKEN = classify({"status": {"code": 202, "detail": "Accepted"}})
REFUSED = classify({"status": {"code": 400, "detail": "SchemaValidatorFailure: no"}})
FAILED = classify({"status": {"code": 500, "detail": "oops"}})
UNREGISTERED = classify({"status": {"code": 401, "detail": "Not a registered tenant."}})


def plan_of(*keys: str, answered: bool = True, parents: dict[int, str] | None = None) -> PushPlan:
    plan = PushPlan()
    if answered:
        probe = Item(-1, "probe", "probe")
        plan.add(probe)
        assert plan.ready() == [probe]
        plan.done(probe, TAKEN)
    for seq, key in enumerate(keys):
        plan.add(Item(seq, f"cid{seq}", key, (parents or {}).get(seq)))
    return plan


def seqs(items: list[Item]) -> list[int]:
    return [item.seq for item in items]


def test_1_messages_of_a_record_go_one_at_a_time_in_order() -> None:
    plan = plan_of("a", "a", "b", "a")
    first = plan.ready()
    assert seqs(first) == [0, 2]
    assert plan.ready() == []
    assert plan.done(first[0], TAKEN) == [(first[0], TAKEN)]
    assert seqs(plan.ready()) == [1]


def test_2_a_child_goes_after_its_parent() -> None:
    plan = plan_of("parent", "child", "other", parents={1: "parent"})
    first = plan.ready()
    assert seqs(first) == [0, 2]
    plan.done(first[0], TAKEN)
    assert seqs(plan.ready()) == [1]


def test_3_what_belongs_to_no_record_goes_alone() -> None:
    plan = plan_of("a", "", "b")
    first = plan.ready()
    assert seqs(first) == [0]
    plan.done(first[0], TAKEN)
    second = plan.ready()
    assert seqs(second) == [1]
    assert plan.ready() == []
    plan.done(second[0], TAKEN)
    assert seqs(plan.ready()) == [2]


def test_4_what_follows_a_refused_message_waits_and_says_for_which() -> None:
    plan = plan_of("a", "a", "b", "a")
    first = plan.ready()
    outcomes = plan.done(first[0], REFUSED)
    assert [(item.seq, outcome.state) for item, outcome in outcomes] == [
        (0, State.REFUSED),
        (1, State.WAITING),
        (3, State.WAITING),
    ]
    assert "cid0" in outcomes[1][1].detail
    later = Item(9, "cid9", "a")
    assert plan.held_back(later)
    assert len(plan) == 1


def test_5_one_request_until_the_first_reply_then_six() -> None:
    plan = plan_of(*"abcdefgh", answered=False)
    (probe,) = plan.ready()
    assert plan.ready() == []
    plan.done(probe, TAKEN)
    assert seqs(plan.ready()) == [1, 2, 3, 4, 5, 6]
    assert plan.ready() == []


def test_6_what_is_refused_for_want_of_a_message_that_got_there_meanwhile_is_tried_again_at_once() -> None:
    lacking = classify(
        {"status": {"code": 400, "detail": "ProtocolAuthorizationIncorrectProtocolPath: no parent"}},
        {"descriptor": {"interface": "Records", "method": "Write", "parentId": "parent", "protocolPath": "a/b"}},
    )
    assert lacking.waits_for == record_key("parent")
    plan = plan_of()
    child = Item(1, "child", "child", "parent")
    late = Item(2, "late", "parent", provides=(record_key("parent"),))
    plan.add(child)
    plan.add(late)
    assert plan.ready() == [child, late]
    plan.done(late, TAKEN)
    [(_, outcome)] = plan.done(child, lacking)
    assert (outcome.state, outcome.next_try(1, 0)) == (State.WAITING, None)

    other = Item(3, "other", "other", "parent")
    plan.add(other)
    assert plan.ready() == [other]
    assert plan.done(other, lacking) == [(other, lacking)]


def test_7_an_unreachable_endpoint_gets_one_probe_and_keeps_its_rows_as_they_were() -> None:
    plan = plan_of(*"abc", answered=False)
    (probe,) = plan.ready()
    gone = classify_error(Unreachable("refused"))
    assert plan.done(probe, gone) == [(probe, gone)]
    assert plan.halted is gone
    assert plan.ready() == []
    assert len(plan) == 2


def test_7_registration_stops_the_round_at_once() -> None:
    plan = plan_of(*"abc", answered=False)
    (probe,) = plan.ready()
    plan.done(probe, UNREGISTERED)
    assert plan.halted is UNREGISTERED
    assert plan.ready() == []


def test_7_three_failures_in_a_row_stop_the_round_but_not_with_a_success_between() -> None:
    plan = plan_of(*"abcdef")
    a, b, c, d, e, f = plan.ready()
    for item, outcome in ((a, FAILED), (b, FAILED), (c, TAKEN), (d, FAILED), (e, FAILED)):
        plan.done(item, outcome)
        assert plan.halted is None
    plan.done(f, FAILED)
    assert plan.halted is FAILED


def test_refusals_of_single_messages_stop_nothing() -> None:
    plan = plan_of(*"abcdefghij")
    sent = 0
    while ready := plan.ready():
        for item in ready:
            sent += 1
            plan.done(item, REFUSED)
    assert (sent, plan.halted, len(plan)) == (10, None, 0)


def test_every_item_gets_exactly_one_outcome_in_the_order_of_its_record_whatever_comes() -> None:
    for seed in range(200):
        rng = random.Random(seed)
        plan = plan_of(*(rng.choice(["a", "b", "c", "d", ""]) for _ in range(30)))
        keys = {seq: item.ordering_key for seq, item in plan._items.items()}
        flying: list[Item] = []
        outcomes: list[tuple[int, Outcome]] = []
        while len(plan):
            ready = plan.ready()
            busy = [item.ordering_key for item in flying]
            assert not {item.ordering_key for item in ready} & set(busy), seed
            flying += ready
            assert len(flying) <= 6
            if any(item.ordering_key == "" for item in flying):
                assert len(flying) == 1, seed
            if not flying:
                break
            item = flying.pop(rng.randrange(len(flying)))
            outcomes += [(one.seq, outcome) for one, outcome in plan.done(item, rng.choice([TAKEN, TAKEN, REFUSED]))]
        assert sorted(seq for seq, _ in outcomes) == list(range(30)), seed
        for key in "abcd":
            of_key = [seq for seq, _ in outcomes if keys[seq] == key]
            assert of_key == sorted(of_key), seed
