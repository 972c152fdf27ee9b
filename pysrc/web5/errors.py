"""Every error that web5 raises on purpose.

Web5Error
├── InvalidArgument        a parameter that cannot be used (is a ValueError too)
├── MalformedData          a record's data that is not text or JSON, as it was asked for (is a ValueError too)
├── RecordInvalid          a record's data that do not fit its model; has `record_id` (is a ValueError too)
├── SubscriptionOverrun    events came faster than they were read, for long
├── DwnError               a DWN answered with something other than success; has `status` and `code`
│   ├── BadRequest         400
│   │   └── NotEncodable   a value that has no CID (is an InvalidArgument too)
│   ├── Unauthorized       401
│   ├── Forbidden          403
│   ├── NotFound           404
│   ├── Conflict           409
│   ├── TooManyRequests    429
│   ├── NotImplementedByDwn 501
│   └── ServerFailure      500 to 599
├── SettingsError          a file of settings that cannot be used; has `file` and `key`
├── DidError               a DID or its document; `code` is a DID Core error name
├── IdentityError          a portable identity that cannot be imported, or one that is not here
├── VaultError             the vault cannot do this as it is
│   ├── VaultLocked        unlock it first
│   ├── WrongPassword
│   └── RecoveryError      a recovery phrase that cannot be one, or that fits nothing
├── DelegationError        a delegation that cannot be used
│   ├── NotConnected       an app and a wallet did not come together; has `reason`
│   └── GrantMissing       no grant lets the delegate do this; has `scope`
│       ├── GrantEnded     one did, but it has expired or was revoked
│       └── GrantTooNarrow one lets it ask for less; has `narrow_to`
├── NotPaired              a device did not come to the agent of another one; has `reason`
├── CryptoError            a key, signature or ciphertext that cannot be used
├── CredentialError        a verifiable credential or presentation that does not hold; `code` is a `web5.vc.Code`
├── EncryptionError        a record that cannot be encrypted as asked, or not decrypted
│   └── KeyMissing         no key for it is here; `keys` says which would do
├── RemoteError            the way to a remote failed, before any DWN answered
│   ├── Unreachable
│   ├── TimedOut
│   ├── AskedToWait        the server asked for a pause, which is not over; has `seconds`
│   ├── BadReply           something answered, but not as a DWN does
│   │   └── BodyTooLarge   its answer is longer than anything sensible
│   ├── TargetUnresolved   the DID whose DWN is meant cannot be resolved (is a DidError too)
│   │   └── NoGateway      it is a did:dht, and no DID DHT gateway is set
│   └── NoWebSocket        a server is there, but offers no WebSocket
├── NodeNeeded             a DWN that is to be removed alone has something; has `endpoint` and `messages`
├── OnlyHere               what is to be erased is nowhere else; has `did` and `messages`
├── ArchiveError           an archive that cannot be read; has `entry`
│   ├── ArchiveDamaged     a part of it is not what its manifest names
│   └── ArchiveNewer       a newer version of this program wrote it
├── TooManyUndelivered     so many messages wait for others' nodes that no more are taken; has `author` and `most`
├── RegistrationError      a DWN server does not register a tenant; `reason` says why
└── StorageError           the local store
    ├── StorageFull
    ├── StorageUnsure      the change may be kept, or not
    ├── StorageLost        what was stored is gone
    ├── StorageBlocked     the browser lets this page store nothing
    ├── StorageCorrupt
    │   └── MessageDamaged one message, or its data, cannot be read; has `cid`
    ├── StorageBusy        another tab or process is the node
    │   └── NodeGone       the tab that was the node went away before it answered
    ├── StorageNewer       a newer version of this program wrote what is stored
    └── BlobMissing

Web5Warning                what works, but hardly as it was meant (is a UserWarning)
└── NotPublishedWarning    no DID DHT gateway is set, so that nobody else finds the DIDs of this agent
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError


class Web5Error(Exception):
    """Base of all errors here."""


class InvalidArgument(Web5Error, ValueError):
    """A parameter that cannot be used; the message says what would do."""


class MalformedData(Web5Error, ValueError):
    """A record's data that is not text or JSON, as it was asked for."""


class RecordInvalid(Web5Error, ValueError):
    """A record whose data do not fit the model of its type.

    Parameters:
        record_id: the record.
        message: what does not fit.
    """

    def __init__(self, record_id: str, message: str) -> None:
        self.record_id = record_id
        super().__init__(f"Record {record_id}: {message}")


class SubscriptionOverrun(Web5Error):
    """Events of a subscription came faster than they were read, for long; some are lost to it."""


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
        """Return the error for a reply's status code and detail."""
        kind = _BY_STATUS.get(status, ServerFailure if status >= 500 else DwnError)
        code, colon, message = detail.partition(": ")
        if not colon or not code.isidentifier():
            code, message = "", detail
        return kind(code, message, status)


class BadRequest(DwnError):
    status = 400


class NotEncodable(BadRequest, InvalidArgument):
    """A value that is not JSON, or holds NaN or an infinity, and so has no CID: a parameter, or a part of a message."""


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


_BY_STATUS: dict[int, type[DwnError]] = {kind.status: kind for kind in DwnError.__subclasses__()}


class SettingsError(Web5Error):
    """A file of settings that cannot be used.

    Parameters:
        file: its URL or path.
        key: what in it is wrong, with dots; "" if that is the whole file.
        message: what is wrong, and what to do.
    """

    def __init__(self, file: str, key: str, message: str) -> None:
        self.file = file
        self.key = key
        super().__init__(f"{file}: {key}: {message}" if key else f"{file}: {message}")


class DidError(Web5Error):
    """A DID, its document or its resolution; `code` is a DID Core or DID DHT error name such as "notFound".

    Parameters:
        details: more about it, for the resolution metadata.
    """

    def __init__(self, code: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        self.code = code
        self.message = message
        self.details = dict(details or {})
        super().__init__(f"{code}: {message}")


class IdentityError(Web5Error):
    """A portable identity that cannot be imported, or an identity that is not on this agent."""


class VaultError(Web5Error):
    """The vault that keeps this agent's secrets cannot do this as it is."""


class VaultLocked(VaultError):
    """The vault has to be unlocked first."""


class WrongPassword(VaultError):
    """The vault, or an archive, does not open with this password; nothing was changed."""


class RecoveryError(VaultError):
    """A recovery phrase that cannot be one, or that fits nothing known."""


class DelegationError(Web5Error):
    """A delegation that cannot be used: malformed, for somebody else, or not genuine."""


class NotConnectedReason(StrEnum):
    """The reasons for which an app and a wallet do not come together.

    "unanswered": the wallet did not answer in time; the person may have refused. "wrong_pin": no PIN that the person
    typed opens the answer. "malformed": what came is not what the other side should have sent. "gone": the link was
    used already, or its time is over. "refused": the relay does not take something.
    """

    UNANSWERED = "unanswered"
    WRONG_PIN = "wrong_pin"
    MALFORMED = "malformed"
    GONE = "gone"
    REFUSED = "refused"


class NotConnected(DelegationError):
    """An app and a wallet did not come together; the app can ask again.

    Parameters:
        reason: why.
    """

    def __init__(self, reason: NotConnectedReason, message: str) -> None:
        self.reason = reason
        super().__init__(message)


class GrantMissing(DelegationError):
    """No grant that holds now lets the delegate do this.

    Parameters:
        scope: what would have to be granted, as a grant says it: `interface`, `method` and, as far as it is known,
            `protocol` and `protocolPath`.
    """

    def __init__(self, message: str, scope: Mapping[str, str]) -> None:
        self.scope = dict(scope)
        super().__init__(message)


class GrantEnded(GrantMissing):
    """The grant that let the delegate do this has expired or was revoked."""


class GrantTooNarrow(GrantMissing):
    """A grant lets the delegate ask for a part of this.

    Parameters:
        narrow_to: the filters to add or to change, in the names of `web5.api.records.filters.RecordFilter`.
    """

    def __init__(self, message: str, scope: Mapping[str, str], narrow_to: Mapping[str, str]) -> None:
        self.narrow_to = dict(narrow_to)
        super().__init__(message, scope)


class NotPairedReason(StrEnum):
    """The reasons for which a device does not take another one along.

    "used": the code was used, or its time is over. "unanswered": the other device did not answer in time.
    "wrong_number": the number is not the one that the other device shows. "malformed": what came is not from the other
    device; somebody else may have seen the code. "refused": the person, or the node between them, does not want it.
    "over": the code is of no use any more. "already": both devices have the same agent. "no_node": no node of the
    agent passes anything on.
    """

    USED = "used"
    UNANSWERED = "unanswered"
    WRONG_NUMBER = "wrong_number"
    MALFORMED = "malformed"
    REFUSED = "refused"
    OVER = "over"
    ALREADY = "already"
    NO_NODE = "no_node"


class NotPaired(Web5Error):
    """A device did not come to the agent of another one; begin anew, with a new code.

    Parameters:
        reason: why.
    """

    def __init__(self, reason: NotPairedReason, message: str) -> None:
        self.reason = reason
        super().__init__(message)


class CryptoError(Web5Error):
    """A key, signature or ciphertext that cannot be used."""


class CredentialError(Web5Error):
    """A verifiable credential or presentation that is malformed or does not hold.

    Parameters:
        code: a `web5.vc.Code`, which says why; compare this, not the message.
        message: what is wrong and what to do.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(f"{code}: {message}")


class EncryptionError(Web5Error):
    """A record that cannot be encrypted as it is asked for, or whose encryption is malformed. Nothing was changed."""


class KeyMissing(EncryptionError):
    """No key that opens an encrypted record is here.

    Parameters:
        keys: those that would: the DID URL of each one's root, and its derivation scheme.
    """

    def __init__(self, keys: Sequence[tuple[str, str]]) -> None:
        self.keys = list(keys)
        named = ", ".join(f"{key_id} by {scheme}" for key_id, scheme in self.keys)
        super().__init__(f"No key for this record is here. It is encrypted for {named}; ask one of them for a key.")


class RemoteError(Web5Error):
    """The way to a remote failed before any DWN answered."""


class Unreachable(RemoteError):
    """No connection, or it broke."""


class TimedOut(RemoteError):
    """Nothing came in time."""


class AskedToWait(RemoteError):
    """The server asked to be left alone for a while, so it is not asked now.

    Parameters:
        seconds: the rest of that while; None: it did not say how long.
        status: of the answer by which it asked, 429 or 503.
    """

    def __init__(self, message: str, seconds: float | None = None, status: int = 429) -> None:
        self.seconds = seconds
        self.status = status
        super().__init__(message)


class BadReply(RemoteError):
    """Something answered, but not as a DWN does."""


class BodyTooLarge(BadReply):
    """Something answered with more bytes than are read."""


class NoWebSocket(RemoteError):
    """A server is there, but offers no WebSocket; ask it over HTTP."""


class TargetUnresolved(DidError, RemoteError):
    """A DID that cannot be resolved, so that nobody knows which DWNs it names, or whether it names any."""

    def __init__(self, error: DidError) -> None:
        super().__init__(error.code, error.message, error.details)


class NoGateway(TargetUnresolved):
    """No DID DHT gateway is set, so no did:dht can be resolved or published; the message says how to set one."""

    MARK = "noGateway"
    """The key in the resolution metadata that tells this failure from others of its code."""

    def __init__(self) -> None:
        super().__init__(
            DidError(
                "internalError",
                "No DID DHT gateway is set, so a did:dht can be neither resolved nor published. Set one:"
                " Web5.connect(did_dht_gateways=[…]), or did_dht_gateways in config.json.",
                {self.MARK: True},
            )
        )


class NodeNeeded(Web5Error):
    """A remote DWN that is to be removed and alone has something, or cannot be asked whether it has.

    Parameters:
        endpoint: its URL.
        messages: the number of messages that no other has; None: unknown.
        reason: why they are not here.
    """

    def __init__(self, endpoint: str, messages: int | None, reason: str) -> None:
        self.endpoint = endpoint
        self.messages = messages
        if messages is None:
            text = (
                f"{endpoint} is not removed: what it alone may have would be out of reach ({reason})."
                " Force it if that may be."
            )
        elif messages == 1:
            text = (
                f"{endpoint} is not removed: 1 message that it alone has would be out of reach ({reason})."
                " Force it if that may be."
            )
        else:
            text = (
                f"{endpoint} is not removed: {messages} messages that it alone has would be out of reach ({reason})."
                " Force it if that may be."
            )
        super().__init__(text)


class OnlyHere(Web5Error):
    """An identity that is to be erased has something that is nowhere but on this device. Nothing was erased.

    Parameters:
        did: the identity.
        messages: the number of its messages that are not where they are to be.
        reason: why they would be lost.
    """

    def __init__(self, did: str, messages: int, reason: str) -> None:
        self.did = did
        self.messages = messages
        super().__init__(
            f"{did} is not erased: {messages} message{'' if messages == 1 else 's'} would be lost ({reason}). Sync or"
            " export it first, or force it."
        )


class ArchiveError(Web5Error):
    """An archive that cannot be read, or must not be. What it has brought up to then was verified, and stays.

    Parameters:
        entry: the file in it that is wrong; "" if that is the whole archive.
        message: what is wrong, and what to do.
    """

    def __init__(self, entry: str, message: str) -> None:
        self.entry = entry
        super().__init__(f"{entry}: {message}" if entry else message)


class ArchiveDamaged(ArchiveError):
    """A part of an archive that is not what the manifest names: it was changed, or is broken."""


class ArchiveNewer(ArchiveError):
    """An archive in a format that a newer version of this program writes. Nothing was changed."""


class TooManyUndelivered(Web5Error):
    """So many messages of one author wait for others' nodes that no more are taken.

    Parameters:
        author: the DID that sent them.
        most: the number of messages that are kept.
    """

    def __init__(self, author: str, most: int) -> None:
        super().__init__(
            f"{most} messages of {author} wait for others' nodes, and no more are kept:"
            " `web5.sync.unsettled()` has them, and `web5.sync.withdraw()` gives up what need not arrive"
        )
        self.author = author
        self.most = most


class RegistrationReason(StrEnum):
    """The refusal of a DWN server to register a tenant."""

    TERMS_CHANGED = "terms changed"
    """Its terms of service are not those that were agreed to; read them anew."""
    CHALLENGE_EXPIRED = "challenge expired"
    """The work was done for a challenge that it does not know any more; do it for the next."""
    MORE_WORK = "more work"
    """It asks for more work by now; do it for its next challenge."""
    INVITATION = "invitation"
    """It takes those who were invited; the code of the invitation is missing, or admits nobody."""
    NO_WAY = "no way"
    """It does not say how to register, or demands what is not known here."""
    REFUSED = "refused"
    """It says no, for a reason of its own."""
    NOT_HONOURED = "not honoured"
    """It took the registration, and refuses the tenant nevertheless."""
    BAD_ANSWER = "bad answer"
    """Its answer is no challenge, or no terms."""


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


class StorageUnsure(StorageError):
    """A change may be kept, or not: nobody can say whether the disk has it."""


class StorageLost(StorageError):
    """The stored data are gone, since the site's data were cleared, for example; what is in memory is not."""


class StorageBlocked(StorageError):
    """The browser lets this page store nothing: it is set so, or the page's address is not a secure one."""


class StorageClosed(StorageError):
    """The store, or the agent that has it, was closed: connect anew."""

    def __init__(self, message: str = "This was closed. Connect anew, by `Web5.connect`, to go on.") -> None:
        super().__init__(message)


class StorageCorrupt(StorageError):
    """The stored pages or files cannot be a whole store."""


class MessageDamaged(StorageCorrupt):
    """One stored message, or its data, cannot be read; all others can. Sync fetches it again from whoever has it.

    Parameters:
        cid: the message's.
    """

    def __init__(self, cid: str, message: str) -> None:
        self.cid = cid
        super().__init__(message)


class StorageBusy(StorageError):
    """Another tab or process is the node."""


class NodeGone(StorageBusy):
    """The tab that was the node went away before it answered: it may have done what it was asked, or not."""


class StorageNewer(StorageError):
    """A newer version of this program wrote what is stored, or is the node; reload the page, or install that version.

    Nothing was changed.
    """


class BlobMissing(StorageError):
    """Record data that the index names is not there."""


class Web5Warning(UserWarning):
    """Base of all warnings here."""


class NotPublishedWarning(Web5Warning):
    """No DID DHT gateway is set: the DIDs of this agent are made and not published, so its data stay on this device."""


def first_error(error: ValidationError) -> str:
    """Return the place and the message of the first error that pydantic found."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
