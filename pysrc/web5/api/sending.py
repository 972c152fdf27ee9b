"""The answers of the nodes that a message was sent to."""

from __future__ import annotations

from web5.errors import DwnError, Unreachable
from web5.sync.states import SendResult


class SendReport(list[SendResult]):
    """The answers of all endpoints to a `send`."""

    @property
    def delivered(self) -> list[str]:
        """The endpoints that have the record now."""
        return [result.endpoint for result in self if result.accepted]

    @property
    def failed(self) -> list[SendResult]:
        """The answers of the others."""
        return [result for result in self if not result.accepted]

    @property
    def pending(self) -> list[SendResult]:
        """The answers of `failed` that are not the last word, since sync tries again until the record is there."""
        return [result for result in self if result.pending]

    def raise_if_undelivered(self) -> None:
        """Raise DwnError or Unreachable with an endpoint's words, if no endpoint took the record or may yet."""
        if self.delivered or self.pending:
            return
        if not self:
            raise Unreachable("The target names no DWN in its DID document, so there is nowhere to send to.")
        answer = next((result for result in self if result.code), self[0])
        if answer.code:
            raise DwnError.from_status(answer.code, answer.detail)
        raise Unreachable(f"{answer.endpoint}: {answer.detail}")
