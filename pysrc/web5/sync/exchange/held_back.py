"""Refusals that stand: an endpoint that answers takes, or gives, nothing, until it has taken, or given, something."""

from __future__ import annotations

from web5.sync.ledger.entries import Entries
from web5.sync.ledger.ledger import Endpoint
from web5.sync.plan.policy import Outcome, is_of_node, recall


def refusal_that_stands(side: Entries, endpoint: Endpoint, failed: Outcome | None, moved: int) -> Outcome | None:
    """Return the refusal by which everything of one direction is held back; None if there is none.

    A visit that has nothing to do, because what was refused is not due again, disproves nothing.

    Parameters:
        endpoint: as it was before the visit; its error stands if a message was refused with it that is left.
        failed: an outcome of the visit that says more of the endpoint than of the message.
        moved: the number of messages that the visit moved in this direction.
    """
    if moved or failed is not None or endpoint.error is None:
        return None if moved else failed
    refusals = [recall(code, detail) for code, detail in side.refusals(endpoint.id)]
    return next((one for one in refusals if is_of_node(one) or one.code == endpoint.error.code), None)
