"""What a DID method is to the resolver."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from web5.dids.models import DidDocument
from web5.dids.uri import DidUrl


@dataclass(frozen=True)
class Resolved:
    """A document that was found.

    Parameters:
        ttl: seconds for which its publisher lets it be kept, or None.
        resolution: what the resolution metadata is to say about how it was found.
    """

    document: DidDocument
    metadata: dict[str, Any]
    ttl: int | None = None
    resolution: dict[str, Any] = field(default_factory=dict)


class DidMethod(Protocol):
    @property
    def name(self) -> str:
        """The method's name in a DID, such as "dht"."""

    async def resolve(self, did: DidUrl) -> Resolved:
        """Find the document of a DID of this method.

        Raises:
            DidError: with a DID Core error code.
        """
