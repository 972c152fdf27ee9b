"""The state of publication of a DID of this agent, in the words that people and apps read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from web5.agent.publication.store import Publication
from web5.dwn.values.timestamps import moment_of
from web5.errors import NoGateway


class PublicationState(StrEnum):
    """The state of the publication of a DID's document."""

    PUBLISHED = "published"
    """Every gateway took it, and one has shown it."""
    INCOMPLETE = "incomplete"
    """It is found; but a gateway refused it, or did not answer, and is tried again."""
    PENDING = "pending"
    """Nobody can find the DID, or not its latest version. It is tried again."""
    NO_GATEWAY = "no gateway"
    """No gateway is set, so nothing is tried."""
    NOT_NEEDED = "not needed"
    """The document follows from the DID, which everybody can read."""


@dataclass(frozen=True, slots=True)
class PublicationStatus:
    """The publication of a DID of this agent.

    Parameters:
        reason: why it is not published, in the gateways' words; None if it is, or nobody was asked yet.
        before: an earlier version is found, or was.
        next_try: when it is tried again, or renewed; None: at once, or not at all.
    """

    did: str
    state: PublicationState
    reason: str | None = None
    before: bool = False
    next_try: datetime | None = None

    @property
    def is_found(self) -> bool:
        """True if others find the DID as it is here."""
        return self.state not in (PublicationState.PENDING, PublicationState.NO_GATEWAY)


def publication_status(did: str, publication: Publication, gateways: Sequence[str]) -> PublicationStatus:
    """Return the status of a DID by what is known of its publication."""
    if not did.startswith("did:dht:"):
        return PublicationStatus(did, PublicationState.NOT_NEEDED)
    if not gateways:
        return PublicationStatus(did, PublicationState.NO_GATEWAY, NoGateway().message, bool(publication.known))
    due = moment_of(publication.next_try) if publication.next_try else None
    state = _STATES[publication.state]
    return PublicationStatus(did, state, publication.error, bool(publication.known), due)


_STATES = {
    "missing": PublicationState.PENDING,
    "incomplete": PublicationState.INCOMPLETE,
    "published": PublicationState.PUBLISHED,
}
