"""What brings nothing is paid for with time, by each endpoint for itself."""

from web5.sync.plan.budget import BudgetOf


def test_each_endpoint_has_its_own() -> None:
    budgets = BudgetOf((10, 6))
    budgets[1].spend(10, 0)
    assert (budgets[1].left(0), budgets[2].left(0)) == (0, 10)
