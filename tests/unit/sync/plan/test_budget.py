"""What brings nothing is paid for with time, by each endpoint for itself."""

from web5.sync.plan.budget import PATIENCE, BudgetOf, Claim
from web5.sync.states import ANSWERS, BYTES


def test_each_endpoint_has_its_own() -> None:
    budgets = BudgetOf((10, 6))
    budgets[1].spend(10, 0)
    assert (budgets[1].left(0), budgets[2].left(0)) == (0, 10)


def test_a_claim_holds_while_enough_comes() -> None:
    claim, now = Claim(1, 0.0), 0.0
    while now < 100:
        now += 1
        claim.brought(now, messages=ANSWERS)
        assert claim.holds(now + 1)
    claim.brought(now, messages=100)
    assert claim.holds(now + PATIENCE - 0.01)
    assert not claim.holds(now + PATIENCE)
    claim = Claim(1, now)
    while now < 200:
        now += 1
        claim.brought(now, size=BYTES)
        assert claim.holds(now + 1)


def test_a_claim_lapses_where_too_little_comes_however_regularly() -> None:
    claim = Claim(1, 0.0)
    for now in range(1, int(3 * PATIENCE)):
        claim.brought(now, messages=ANSWERS // 2)
    assert not claim.holds(3 * PATIENCE)
    claim.brought(3 * PATIENCE, messages=100)
    assert not claim.holds(3 * PATIENCE)
