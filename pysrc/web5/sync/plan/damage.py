"""The outcomes of messages that are held here and cannot be read, or whose data cannot.

They are fetched again from whoever has them: whatever has their CIDs is what was lost, so it does not matter who.
"""

from __future__ import annotations

from dataclasses import replace

from web5.sync.plan.dependencies import data_key
from web5.sync.plan.policy import SLOWLY, Outcome, waiting_for
from web5.sync.states import State

MENDED = Outcome("mended", None, code=202)

NO_BETTER = Outcome("no better there", State.REFUSED, SLOWLY, detail="BadReply: its data does not come with it")
"""The outcome of a message that an endpoint gives without what cannot be read of it here."""


def damaged_here(cid: str, error: Exception) -> Outcome:
    """Return the outcome of sending a message that cannot be read, or whose data cannot."""
    detail = f"{type(error).__name__}: {error}"
    return replace(waiting_for(data_key(cid)), name="damaged here", backoff=SLOWLY, detail=detail, is_own=True)
