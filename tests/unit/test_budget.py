"""What brings nothing is paid for with time."""

from web5.budget import Budget


def test_a_burst_and_then_some_a_minute() -> None:
    budget = Budget(10, 6)
    budget.spend(10, 0)
    assert budget.left(0) == 0
    assert budget.left(10) == 1
    assert budget.left(60) == 6
    assert budget.left(1_000_000) == 10


def test_debts_are_bounded_and_so_is_what_is_given_back() -> None:
    budget = Budget(10, 6)
    budget.spend(1000, 0)
    assert budget.left(0) == -10
    budget.refund(5, 0)
    assert budget.left(0) == -5
    budget.refund(1000, 0)
    assert budget.left(0) == 10


def test_a_clock_that_goes_back_gives_nothing() -> None:
    budget = Budget(10, 6)
    budget.spend(10, 100)
    assert budget.left(50) == 0
    assert budget.left(60) == 1
