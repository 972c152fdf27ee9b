"""What the person did on any device, and what has to be true because of it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Change:
    """An endpoint that was added or removed; not `done` if nobody knows whether that came to its end."""

    device: str
    url: str
    added: bool
    done: bool = False


@dataclass(slots=True)
class Note:
    """A note that was acknowledged."""

    did: str
    text: str
    record_id: str
    device: str


@dataclass(slots=True)
class Facts:
    """The facts of one DID: of an identity, or of the agent.

    Parameters:
        keys: its private keys, which never change.
        initial: the endpoints that it was made with.
        by_default: a first launch made it unasked.

    Attributes:
        names: every name that somebody began to give it; `renamed` if one was acknowledged.
        used: something was done with it, so that no recovery may do without it.
        deleting, deleted: the person said so; and it was acknowledged.
        may_go: a recovery may have done without it.
    """

    did: str
    keys: list[dict[str, str]]
    initial: list[str]
    names: list[str]
    by_default: bool = False
    renamed: bool = False
    used: bool = False
    deleting: bool = False
    deleted: bool = False
    may_go: bool = False
    changes: list[Change] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @property
    def has_to_be(self) -> bool:
        """True if every device has to list it in the end."""
        return not (self.deleting or self.may_go)

    def touched(self, url: str, *, added: bool) -> bool:
        """Return True if somebody began to add, or to remove, an endpoint."""
        return any(change.url == url and change.added is added for change in self.changes)

    def expected(self, url: str) -> bool | None:
        """Return whether an endpoint has to be one in the end; None where that depends on what came first.

        Who removes one has seen it, and who adds one has not: so of a single addition and a single removal it is known
        which was made in the knowledge of the other.
        """
        changes = [change for change in self.changes if change.url == url]
        there = url in self.initial
        if not changes:
            return there
        if not all(change.done for change in changes):
            return None
        if all(change.added is not there for change in changes):
            return not there  # all that anybody ever did
        if len(changes) == 2 and changes[0].added is not there:
            return there
        return None
