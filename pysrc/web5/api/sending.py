"""What became of a `send`."""

from __future__ import annotations

from collections.abc import Iterable

from web5.errors import DwnError, Unreachable
from web5.sync.states import SendResult


class SendReport(list[SendResult]):
    """The answer of every endpoint of the target."""

    def __init__(self, results: Iterable[SendResult]) -> None:
        super().__init__(results)

    @property
    def delivered(self) -> list[str]:
        """The endpoints that have the record now."""
        return [result.endpoint for result in self if result.accepted]

    @property
    def failed(self) -> list[SendResult]:
        """The answers of the others."""
        return [result for result in self if not result.accepted]

    def raise_if_none_took_it(self) -> None:
        """Raises DwnError or Unreachable with the first endpoint's words, if no endpoint took the record."""
        if self.delivered:
            return
        if not self:
            raise Unreachable("The target names no DWN in its DID document, so there is nowhere to send to.")
        answer = next((result for result in self if result.code), self[0])
        if answer.code:
            raise DwnError.from_status(answer.code, answer.detail)
        raise Unreachable(f"{answer.endpoint}: {answer.detail}")
