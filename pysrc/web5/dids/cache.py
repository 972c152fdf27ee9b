"""What a resolver keeps beyond the process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from web5.dids.models import DidDocument


@dataclass(frozen=True)
class KeptDocument:
    """A document that was found, and checked as its method asks for, before it was kept.

    Parameters:
        metadata: its document metadata.
        expires: until when it need not be asked for again (microseconds since 1970).
    """

    document: DidDocument
    metadata: dict[str, Any]
    expires: int


class DidCache(Protocol):
    """Documents by DID. It may lose any of them at any time, and raises nothing."""

    def load(self, did: str) -> KeptDocument | None:
        """What was kept last, also if it has expired."""

    def keep(self, did: str, kept: KeptDocument) -> None:
        """Keep it in the place of what was there. It need not be durable on return."""

    def drop(self, did: str) -> None:
        """Forget it."""


class NoCache:
    """A `DidCache` that keeps nothing."""

    def load(self, did: str) -> KeptDocument | None:
        return None

    def keep(self, did: str, kept: KeptDocument) -> None: ...

    def drop(self, did: str) -> None: ...
