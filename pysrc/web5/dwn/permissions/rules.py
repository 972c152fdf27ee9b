"""The rules by which a grant allows a message: a table for each kind of message, and the one interpreter of it.

Sources: `src/core/grant-authorization.ts`, `records-grant-authorization.ts`, `messages-grant-authorization.ts`,
`protocols-grant-authorization.ts`. Rules stand in the order of the reference's checks; the first that does not hold
names the reply's code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from web5.dwn.codes import Code
from web5.dwn.permissions import protocol
from web5.dwn.permissions.grants import Grant, fetch_grant, permission_data, with_encoded_data
from web5.dwn.store.store import MessageRow, Store
from web5.dwn.values.contexts import is_within
from web5.dwn.values.faults import shown
from web5.dwn.values.types import Message
from web5.errors import BadRequest, Unauthorized

QUESTIONS = frozenset({"Query", "Read", "Subscribe"})
"""Methods of messages that are not stored, and so have no time but that at which they are asked."""


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a grant.

    Parameters:
        message: the message that invokes it.
        grantor: whose rights are used, and `grantee`, by whom.
        record: a RecordsWrite of the record that is written, read or deleted, where it is about one.
        read: the message that a MessagesRead is to give; None: any.
        now: by the node's clock; questions are judged by it where it is later than the date that the asker wrote.
    """

    store: Store
    grant: Grant
    message: Message
    grantor: str
    grantee: str
    record: Message | None = None
    read: MessageRow | None = None
    now: str = ""

    @property
    def descriptor(self) -> Mapping[str, Any]:
        descriptor: Mapping[str, Any] = self.message["descriptor"]
        return descriptor

    @property
    def moment(self) -> str:
        """The time at which the grant must hold: a message that is stored was allowed at its own."""
        written: str = self.descriptor["messageTimestamp"]
        return max(written, self.now) if self.descriptor["method"] in QUESTIONS else written

    @property
    def scope(self) -> Mapping[str, Any]:
        """The scope of the grant.

        Raises:
            Unauthorized: it has none.
        """
        if self.grant.scope is None:
            raise Unauthorized("", f"the grant {self.grant.id} has no scope")
        return self.grant.scope

    @property
    def written(self) -> Mapping[str, Any]:
        """The descriptor of the record."""
        assert self.record is not None
        written: Mapping[str, Any] = self.record["descriptor"]
        return written


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that a use of a grant must fulfil.

    Parameters:
        must: the rule in words.
        holds: returns True if it is fulfilled.
        told: what the one who uses the grant is told of why it is not.
    """

    code: Code
    must: str
    holds: Callable[[Use], bool]
    told: Callable[[Use], str] = lambda use: f"its scope is {shown(use.grant.scope)}"


def authorize(use: Use) -> None:
    """Check that the grant allows this use.

    Raises:
        Unauthorized: it does not, with the code of the first rule that does not hold.
    """
    descriptor = use.descriptor
    for rule in (*BASE, *RULES[f"{descriptor['interface']}{descriptor['method']}"]):
        if not rule.holds(use):
            raise Unauthorized(
                rule.code, f"the grant {use.grant.id} does not allow this: {rule.must}; {rule.told(use)}"
            )


def _not_revoked(use: Use) -> bool:
    revoked = use.store.first_child_date(use.store.tenant(use.grantor), use.grant.id, protocol.REVOCATION)
    return revoked is None or revoked > use.moment


def _in_context(use: Use) -> bool:
    if "contextId" not in use.scope:
        return True
    context = use.descriptor["filter"].get("contextId") if use.record is None else use.record.get("contextId")
    return type(use.scope["contextId"]) is str and is_within(context, use.scope["contextId"])


def _has_path(use: Use) -> bool:
    asked = use.descriptor["filter"] if use.record is None else use.written
    return use.scope.get("protocolPath") in (None, asked.get("protocolPath"))


def _asks_in_protocol(use: Use) -> bool:
    scoped = use.scope.get("protocol")
    return scoped is None or use.descriptor.get("filter", {}).get("protocol") == scoped


def _all_ask_in_protocol(use: Use) -> bool:
    # Without filters everything is asked for; the reference lets that pass under a grant for one protocol.
    scoped, filters = use.scope.get("protocol"), use.descriptor["filters"]
    return scoped is None or (filters != [] and all(filter.get("protocol") == scoped for filter in filters))


def _read_in_protocol(use: Use) -> bool:
    scoped = use.scope.get("protocol")
    return scoped is None or use.read is None or scoped in _protocols_of(use, use.read)


def _protocols_of(use: Use, row: MessageRow) -> tuple[str | None, ...]:
    # A permission record belongs to the protocol of its scope too.
    store, tenant = use.store, use.store.tenant(use.grantor)
    if row.method == "Configure":
        return (row.message["descriptor"]["definition"]["protocol"],)
    if row.method == "Delete":
        writes = [write for write in store.record(tenant, row.record_id) if write.method == "Write"]
        if not writes:
            raise Unauthorized(Code.RecordsWriteGetNewestWriteRecordNotFound, "record not found")
        row = writes[-1]
    message = row.message
    descriptor = message["descriptor"]
    found: str | None = descriptor.get("protocol")
    if found != protocol.URI or found == use.scope.get("protocol"):
        return (found,)
    if descriptor["protocolPath"] == protocol.REVOCATION:
        scope = fetch_grant(store, tenant, descriptor["parentId"]).scope or {}
    else:
        try:
            data = _data_shown(store, tenant, row)
            scope = permission_data(with_encoded_data(message, data)).get("scope", {})
        except BadRequest as error:
            raise Unauthorized(error.code, error.message) from error
    return found, scope.get("protocol")


def _data_shown(store: Store, tenant: int, row: MessageRow) -> bytes:
    # A newer state of a permission has the same data. What is kept of one that ended is as if it were not.
    states = [row] if row.latest else store.record(tenant, row.record_id)
    same = (state for state in states if state.latest and state.method == "Write")
    data_cid = row.message["descriptor"]["dataCid"]
    return next((state.data or b"" for state in same if state.message["descriptor"]["dataCid"] == data_cid), b"")


def _told_method(use: Use) -> str:
    allowed = f"{shown(use.scope.get('interface'))}{shown(use.scope.get('method'))}"
    return f"its scope is {allowed}, the message is {use.descriptor['interface']}{use.descriptor['method']}"


def _told_conditions(use: Use) -> str:
    return f"its conditions are {shown(use.grant.conditions)}"


def _told_filter(use: Use) -> str:
    asked = use.descriptor.get("filter", {}).get("protocol")
    return _told_protocols(use, asked)


def _told_filters(use: Use) -> str:
    scoped, filters = use.scope.get("protocol"), use.descriptor["filters"]
    other = next((asked for one in filters if (asked := one.get("protocol")) != scoped), None)
    return _told_protocols(use, other)


def _told_protocols(use: Use, asked: str | None) -> str:
    return f"its scope has the protocol {shown(use.scope.get('protocol'))}, the message {shown(asked)}"


BASE = (
    Rule(
        Code.GrantAuthorizationNotGrantedToAuthor,
        "it is for the one who uses it",
        lambda use: use.grant.grantee == use.grantee,
        lambda use: f"it is granted to {shown(use.grant.grantee)}, but need to be granted to {use.grantee}",
    ),
    Rule(
        Code.GrantAuthorizationNotGrantedForTenant,
        "it is from the one whose rights are used",
        lambda use: use.grant.grantor == use.grantor,
        lambda use: f"it is granted by {use.grant.grantor}, but need to be granted by {use.grantor}",
    ),
    Rule(
        Code.GrantAuthorizationGrantNotYetActive,
        "the message is no older than the grant",
        lambda use: use.descriptor["messageTimestamp"] >= use.grant.date_granted,
        lambda use: f"it holds from {use.grant.date_granted}, the message is of {use.descriptor['messageTimestamp']}",
    ),
    Rule(
        Code.GrantAuthorizationGrantExpired,
        "the message is older than the end of the grant",
        lambda use: use.moment < use.grant.date_expires,
        lambda use: f"it expires at {use.grant.date_expires}, and this is judged by {use.moment}",
    ),
    Rule(
        Code.GrantAuthorizationGrantRevoked,
        "the message is older than any revocation",
        _not_revoked,
        lambda use: "it has been revoked",
    ),
    Rule(
        Code.GrantAuthorizationInterfaceMismatch,
        "the scope has the interface of the message",
        lambda use: use.scope.get("interface") == use.descriptor["interface"],
        _told_method,
    ),
    Rule(
        Code.GrantAuthorizationMethodMismatch,
        "the scope has the method of the message",
        lambda use: use.scope.get("method") == use.descriptor["method"],
        _told_method,
    ),
)
"""The rules for every use of every grant."""

_NARROWED = (
    Rule(
        Code.RecordsGrantAuthorizationScopeContextIdMismatch,
        "the record, or what is asked for, is in the context of the scope",
        _in_context,
    ),
    Rule(
        Code.RecordsGrantAuthorizationScopeProtocolPathMismatch,
        "the record, or what is asked for, has the protocol path of the scope",
        _has_path,
    ),
)
"""The reference narrows reads and writes alone, though such a scope can be granted for every method."""

_RECORD = (
    Rule(
        Code.RecordsGrantAuthorizationScopeProtocolMismatch,
        "the record has the protocol of the scope",
        lambda use: use.scope.get("protocol") == use.written.get("protocol"),
    ),
    *_NARROWED,
)

_CONDITIONS = (
    Rule(
        Code.RecordsGrantAuthorizationConditionPublicationRequired,
        "the record is published",
        lambda use: use.grant.conditions.get("publication") != "Required" or use.written.get("published") is True,
        _told_conditions,
    ),
    Rule(
        Code.RecordsGrantAuthorizationConditionPublicationProhibited,
        "the record is not published",
        lambda use: use.grant.conditions.get("publication") != "Prohibited" or not use.written.get("published"),
        _told_conditions,
    ),
)

_RECORDS_ASKED = (
    Rule(
        Code.RecordsGrantAuthorizationQueryOrSubscribeProtocolScopeMismatch,
        "the filter has the protocol of the scope",
        _asks_in_protocol,
        _told_filter,
    ),
    *_NARROWED,
)

_MESSAGES_ASKED = (
    Rule(
        Code.MessagesGrantAuthorizationMismatchedProtocol,
        "every filter has the protocol of the scope",
        _all_ask_in_protocol,
        _told_filters,
    ),
)

RULES: dict[str, tuple[Rule, ...]] = {
    "RecordsWrite": (*_RECORD, *_CONDITIONS),
    "RecordsRead": _RECORD,
    "RecordsQuery": _RECORDS_ASKED,
    "RecordsSubscribe": _RECORDS_ASKED,
    "RecordsDelete": (
        Rule(
            Code.RecordsGrantAuthorizationDeleteProtocolScopeMismatch,
            "the record has the protocol of the scope",
            lambda use: use.scope.get("protocol") in (None, use.written.get("protocol")),
            lambda use: _told_protocols(use, use.written.get("protocol")),
        ),
        *_NARROWED,
    ),
    "MessagesRead": (
        Rule(
            Code.MessagesReadVerifyScopeFailed,
            "the message belongs to the protocol of the scope",
            _read_in_protocol,
        ),
    ),
    "MessagesQuery": _MESSAGES_ASKED,
    "MessagesSubscribe": _MESSAGES_ASKED,
    "ProtocolsConfigure": (
        Rule(
            Code.ProtocolsGrantAuthorizationScopeProtocolMismatch,
            "the definition is that of the protocol of the scope",
            lambda use: use.scope.get("protocol") in (None, use.descriptor["definition"]["protocol"]),
            lambda use: _told_protocols(use, use.descriptor["definition"]["protocol"]),
        ),
    ),
    "ProtocolsQuery": (
        Rule(
            Code.ProtocolsGrantAuthorizationQueryProtocolScopeMismatch,
            "the filter has the protocol of the scope",
            _asks_in_protocol,
            _told_filter,
        ),
    ),
}
"""The rules that a grant's scope and conditions make for each kind of message that can use a grant."""
