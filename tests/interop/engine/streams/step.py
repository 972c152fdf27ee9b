"""One message of a stream, as both engines get it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.interop.engine.streams.cast import Actor
from web5.dwn.values.types import Message


@dataclass(frozen=True)
class Signed:
    """How a message was signed, so that it can be composed or signed again.

    Parameters:
        claims: what the payload says besides the CIDs and IDs that follow from the message.
        delegated: the delegated grant (with its data) that the signer uses.
        trusted: whoever signs is probably allowed to.
        owner: who signed as the owner, or for the owner under `owner_delegated`.
    """

    signer: Actor
    claims: dict[str, str] = field(default_factory=dict)
    delegated: Message | None = None
    attester: Actor | None = None
    owner: Actor | None = None
    owner_delegated: Message | None = None
    trusted: bool = False


@dataclass
class Step:
    """One message for a tenant.

    Parameters:
        number: its place in the stream, which it keeps when others are dropped.
        cursor_of: the step whose reply's cursor goes into the message before each side signs it.
        closes: instead of a message: the step whose subscription is ended.
        made: how it was signed, if it is a message that both sides' authors should make alike.
        refused: whom the tenant gate refuses by then, and why; "" where it gives no reason.
        then: what the stream remembers of it, once it is sent as it is.
    """

    number: int
    what: str
    tenant: str
    message: Any = None
    data: bytes | None = None
    cursor_of: int | None = None
    closes: int | None = None
    made: Signed | None = None
    refused: dict[str, str] = field(default_factory=dict)
    then: Callable[[], object] = field(default=lambda: None, repr=False, compare=False)

    @property
    def wire(self) -> dict[str, Any]:
        """What the reference process gets."""
        out: dict[str, Any] = {"number": self.number, "tenant": self.tenant, "message": self.message}
        if self.refused:
            out["refused"] = self.refused
        if self.data is not None:
            out["data"] = base64.b64encode(self.data).decode()
        if self.closes is not None:
            out["closes"] = self.closes
        if self.cursor_of is not None:
            assert self.made is not None
            out |= {"cursorOf": self.cursor_of, "signer": self.made.signer.index, "claims": self.made.claims}
        return out
