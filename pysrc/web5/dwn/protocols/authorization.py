"""The rights that a protocol's action rules give (`src/core/protocol-authorization.ts`).

Two tables decide: `ACTIONS` has the actions that allow a message where an action rule's `can` names one of them;
`ACTORS` says for whom such a rule is. `_authorize` is their one interpreter. The tenant and whoever has a grant need no
rule of a protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from web5.dwn.codes import Code
from web5.dwn.messages.parsing import ParsedWrite, Parties
from web5.dwn.protocols.definitions import Definition, definition_of
from web5.dwn.protocols.place import Place
from web5.dwn.store import protocols as stored
from web5.dwn.store.protocols import RecordLink
from web5.dwn.values.faults import shown
from web5.dwn.values.types import Message
from web5.errors import BadRequest, Unauthorized

ActionRule = Mapping[str, Any]


class Action(NamedTuple):
    """A row of `ACTIONS`.

    Parameters:
        case: what the message does.
        by_author: only where the message is by the author of the record's initial write.
        action: one that a rule's `can` must name.
    """

    method: str
    case: str
    by_author: bool
    action: str


ACTIONS = (
    Action("Write", "a new record", False, "create"),
    Action("Write", "an update", False, "co-update"),
    Action("Write", "an update", True, "update"),
    Action("Delete", "a delete", False, "co-delete"),
    Action("Delete", "a delete", True, "delete"),
    Action("Delete", "a prune", False, "co-prune"),
    Action("Delete", "a prune", True, "prune"),
    Action("Read", "a read", False, "read"),
    Action("Query", "a query", False, "query"),
    Action("Subscribe", "a subscription", False, "subscribe"),
)


@dataclass(frozen=True, slots=True)
class Requester:
    """The sender of a message that needs an action rule.

    Parameters:
        author: the logical author of the message, None if nobody signed it.
        role: the protocol path of the role that is invoked.
        recipient: of the record that the message is about.
        chain: the record, if it exists, and all above it, the root first.
    """

    author: str | None
    role: str | None
    recipient: str | None
    chain: Sequence[RecordLink]
    tenant_did: str

    def wrote(self, path: str) -> bool:
        record = self._record_at(path)
        return record is not None and self.author == (record.author or self.tenant_did)

    def received(self, path: str) -> bool:
        record = self._record_at(path)
        return record is not None and self.author == record.recipient

    def _record_at(self, path: str) -> RecordLink | None:
        return next((record for record in self.chain if record.protocol_path == path), None)


class Actor(NamedTuple):
    """A row of `ACTORS`: the first that applies to a rule and a requester decides.

    Parameters:
        says: whom the rule is for, in words.
        holds: True if the rule is for this requester.
    """

    says: str
    applies: Callable[[ActionRule, Requester], bool]
    holds: Callable[[ActionRule, Requester], bool]


ACTORS = (
    Actor(
        "`who: anyone`: whoever it is",
        lambda rule, by: rule.get("who") == "anyone",
        lambda rule, by: True,
    ),
    Actor("nobody signed: no one else", lambda rule, by: by.author is None, lambda rule, by: False),
    Actor(
        "a role is invoked: the rule has that `role`",
        lambda rule, by: by.role is not None,
        lambda rule, by: bool(rule.get("role") == by.role),
    ),
    Actor(
        "`who: recipient`: the recipient of the record itself",
        lambda rule, by: rule.get("who") == "recipient" and "of" not in rule,
        lambda rule, by: by.author == by.recipient,
    ),
    Actor(
        "`who: recipient, of: path`: the recipient of the record at that path, among those above",
        lambda rule, by: rule.get("who") == "recipient",
        lambda rule, by: by.received(rule["of"]),
    ),
    Actor(
        "`who: author, of: path`: the author of the record at that path, among those above",
        lambda rule, by: "of" in rule,
        lambda rule, by: by.wrote(rule["of"]),
    ),
)


def authorize_write(place: Place, write: ParsedWrite) -> None:
    """Check that the record's protocol allows a RecordsWrite, or raise Unauthorized."""
    initial = stored.link(place.store, place.tenant, write.record_id)
    # An update of what is not there is no action at all.
    case = "a new record" if write.is_initial else "an update" if initial is not None else None
    above = write.descriptor.get("parentId") if initial is None else initial.record_id
    _authorize(place, write.parties, case, initial, above, _subject(write.message))


def authorize_on_record(place: Place, parties: Parties, write: Message, case: str) -> None:
    """Check that the record's protocol allows a message to read or delete it, or raise Unauthorized.

    Parameters:
        write: a RecordsWrite of the record.
        case: one of `ACTIONS`.
    """
    initial = stored.link(place.store, place.tenant, write["recordId"])
    _authorize(place, parties, case, initial, write["recordId"], _subject(write))


def authorize_query(place: Place, parties: Parties, descriptor: Mapping[str, Any]) -> None:
    """Check that a protocol allows the RecordsQuery or RecordsSubscribe with this descriptor, or raise Unauthorized."""
    case = "a query" if descriptor["method"] == "Query" else "a subscription"
    subject = {name: descriptor["filter"].get(name) for name in ("protocol", "protocolPath", "contextId")}
    _authorize(place, parties, case, None, None, subject)


def _subject(write: Message) -> Mapping[str, Any]:
    return {**write["descriptor"], "contextId": write["contextId"]}


def _authorize(
    place: Place,
    parties: Parties,
    case: str | None,
    initial: RecordLink | None,
    record_id: str | None,
    subject: Mapping[str, Any],
) -> None:
    protocol, path, context = subject["protocol"], subject["protocolPath"], subject["contextId"]
    by_author = initial is not None and parties.author == (initial.author or place.tenant_did)
    actions = {row.action for row in ACTIONS if row.case == case and (by_author or not row.by_author)}
    kind = f"Records{next((row.method for row in ACTIONS if row.case == case), 'Write')}"
    chain = _chain(place, record_id)
    role = parties.claims.get("protocolRole")
    try:
        definition = definition_of(place.store, place.tenant, protocol, place.at)
    except BadRequest as error:
        raise Unauthorized(error.code, error.message) from None
    rules = definition.rule_set(path)
    if rules is None:
        raise Unauthorized(Code.ProtocolAuthorizationMissingRuleSet, f"No rule set defined for protocolPath {path}")
    if role is not None:
        _check_role(place, definition, protocol, role, parties.author, context)
    if rules.actions is None:
        raise Unauthorized(
            Code.ProtocolAuthorizationActionRulesNotFound,
            f"no action rule defined for {kind} at {path}, {shown(parties.author)} is unauthorized",
        )
    requester = Requester(parties.author, role, subject.get("recipient"), chain, place.tenant_did)
    if not any(actions.intersection(rule["can"]) and _is_for(rule, requester) for rule in rules.actions):
        raise Unauthorized(
            Code.ProtocolAuthorizationActionNotAllowed,
            f"{kind} ({' or '.join(sorted(actions)) or 'no action'}) at {path} by author {shown(parties.author)}"
            " not allowed.",
        )


def _is_for(rule: ActionRule, requester: Requester) -> bool:
    return next((actor.holds(rule, requester) for actor in ACTORS if actor.applies(rule, requester)), False)


def _chain(place: Place, record_id: str | None) -> list[RecordLink]:
    chain: list[RecordLink] = []
    while record_id is not None:
        record = stored.link(place.store, place.tenant, record_id)
        if record is None:
            raise Unauthorized(
                Code.ProtocolAuthorizationParentNotFoundConstructingRecordChain,
                f"no parent found with ID {record_id} when constructing record chain.",
            )
        chain.append(record)
        record_id = record.parent_id
    chain.reverse()
    return chain


def _check_role(
    place: Place, definition: Definition, protocol: str | None, role: str, author: str | None, context: str | None
) -> None:
    # `verifyInvokedRole`: the author has the role that the message invokes, in the context of the message.
    rules = definition.rule_set(role)
    if rules is None or not rules.is_role:
        raise Unauthorized(Code.ProtocolAuthorizationNotARole, f"Protocol path {role} does not match role record type.")
    levels = role.count("/")
    if levels and context is None:
        raise Unauthorized(
            Code.ProtocolAuthorizationMissingContextId, "Could not verify role because contextId is missing."
        )
    segments = (context or "").split("/")
    prefix = "/".join(segments[:levels])
    assert protocol is not None and author is not None
    # Whoever has a role in one context has none in a context around it.
    if len(segments) < levels or not stored.role_records(
        *(place.store, place.tenant),
        protocol=protocol,
        protocol_path=role,
        recipient=author,
        context=prefix,
        at=place.at,
    ):
        raise Unauthorized(
            Code.ProtocolAuthorizationMatchingRoleRecordNotFound,
            f"No matching role record found for protocol path {role}",
        )
