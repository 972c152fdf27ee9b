"""Every error that web5 raises on purpose.

Web5Error
├── InvalidArgument        a parameter that cannot be used (is a ValueError too)
├── DwnError               a DWN answered with something other than success; has `status` and `code`
│   ├── BadRequest         400
│   ├── Unauthorized       401
│   ├── Forbidden          403
│   ├── NotFound           404
│   ├── Conflict           409
│   ├── TooManyRequests    429
│   ├── NotImplementedByDwn 501
│   └── ServerFailure      500 to 599
├── DidError               a DID or its document; `code` is a DID Core error name
├── IdentityError          a portable identity that cannot be imported, or one that is not here
├── CryptoError            a key, signature or ciphertext that cannot be used
├── RemoteError            the way to a remote failed, before any DWN answered
│   ├── Unreachable
│   ├── TimedOut
│   ├── BadReply           something answered, but not as a DWN does
│   └── NoWebSocket        a server is there, but offers no WebSocket
├── RegistrationError      a DWN server does not register a tenant; `reason` says why
└── StorageError           the local store
    ├── StorageFull
    ├── StorageCorrupt
    ├── StorageBusy        another tab or process is the node
    └── BlobMissing
"""

from __future__ import annotations

from enum import StrEnum


class Web5Error(Exception):
    """Base of all errors here."""


class InvalidArgument(Web5Error, ValueError):
    """A parameter that cannot be used; the message says what would do."""


class DwnError(Web5Error):
    """A DWN refused.

    Parameters:
        code: the reference's `DwnErrorCode` name, or "" where the reference gives none.
        message: what is wrong.
        status: the status code of the reply; by default the class's own.
    """

    status: int = 400

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        self.code = code
        self.message = message
        if status is not None:
            self.status = status
        super().__init__(self.detail)

    @property
    def detail(self) -> str:
        """`status.detail` as the wire has it: the code, a colon, the message."""
        return f"{self.code}: {self.message}" if self.code else self.message

    @staticmethod
    def from_status(status: int, detail: str) -> DwnError:
        """The error for a reply's status code and detail."""
        kind = _BY_STATUS.get(status, ServerFailure if status >= 500 else DwnError)
        code, colon, message = detail.partition(": ")
        if not colon or not code.isidentifier():
            code, message = "", detail
        return kind(code, message, status)


class BadRequest(DwnError):
    status = 400


class Unauthorized(DwnError):
    status = 401


class Forbidden(DwnError):
    status = 403


class NotFound(DwnError):
    status = 404


class Conflict(DwnError):
    status = 409


class TooManyRequests(DwnError):
    status = 429


class ServerFailure(DwnError):
    status = 500


class NotImplementedByDwn(DwnError):
    status = 501


_BY_STATUS: dict[int, type[DwnError]] = {
    kind.status: kind
    for kind in (
        BadRequest,
        Unauthorized,
        Forbidden,
        NotFound,
        Conflict,
        TooManyRequests,
        ServerFailure,
        NotImplementedByDwn,
    )
}


class DidError(Web5Error):
    """A DID, its document or its resolution; `code` is a DID Core or DID DHT error name such as "notFound"."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(f"{code}: {message}")


class IdentityError(Web5Error):
    """A portable identity that cannot be imported, or an identity that is not on this agent."""


class CryptoError(Web5Error):
    """A key, signature or ciphertext that cannot be used."""


class RemoteError(Web5Error):
    """The way to a remote failed before any DWN answered."""


class Unreachable(RemoteError):
    """No connection, or it broke."""


class TimedOut(RemoteError):
    """Nothing came in time."""


class BadReply(RemoteError):
    """Something answered, but not as a DWN does."""


class NoWebSocket(RemoteError):
    """A server is there, but offers no WebSocket; ask it over HTTP."""


class RegistrationReason(StrEnum):
    """Why a DWN server does not register a tenant."""

    TERMS_CHANGED = "terms changed"
    """Its terms of service are not those that were agreed to; read them anew."""
    CHALLENGE_EXPIRED = "challenge expired"
    """The work was done for a challenge that it does not know any more; do it for the next."""
    MORE_WORK = "more work"
    """It asks for more work by now; do it for its next challenge."""
    NO_WAY = "no way"
    """It does not say how to register, or demands what is not known here."""
    REFUSED = "refused"
    """It says no, for a reason of its own."""
    NOT_HONOURED = "not honoured"
    """It took the registration, and refuses the tenant nevertheless."""
    BAD_ANSWER = "bad answer"
    """What it answers is no challenge, or no terms."""


class RegistrationError(Web5Error):
    """A DWN server does not register a tenant.

    Parameters:
        reason: why, for programs.
        message: why, for people, with the server's own words.
    """

    def __init__(self, reason: RegistrationReason, message: str) -> None:
        self.reason = reason
        super().__init__(message)


class StorageError(Web5Error):
    """The local store failed."""


class StorageFull(StorageError):
    """There is no room; nothing was changed."""


class StorageCorrupt(StorageError):
    """What is stored cannot be a whole store."""


class StorageBusy(StorageError):
    """Another tab or process is the node."""


class BlobMissing(StorageError):
    """Record data that the index names is not there."""
