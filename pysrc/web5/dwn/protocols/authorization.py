"""Who may do what with the records of a protocol (`src/core/protocol-authorization.ts`).

Two tables decide. `ACTIONS` says which actions of an action rule's `can` would allow a message; `ACTORS` says for whom
the rule with such an action holds. `_authorize` is their one interpreter. Neither the tenant nor who has a grant comes
here: they need no protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from web5.dwn.codes import Code
from web5.dwn.messages.parsing import ParsedWrite, Parties
from web5.dwn.protocols.definitions import Definition, RuleSet, definition_of
from web5.dwn.store import protocols as stored
from web5.dwn.store.protocols import Link
from web5.dwn.store.store import Store
from web5.errors import BadRequest, Unauthorized

ActionRule = Mapping[str, Any]


class Action(NamedTuple):
    """A row of `ACTIONS`.

    Parameters:
        method: of the message.
        case: what the message does.
        by_author: only where the message is by the author of the record's initial write.
        action: what a rule's `can` must name.
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
class Asker:
    """Someone who asks for leave.

    Parameters:
        author: the logical author of the message, None if nobody signed it.
        role: the protocol path of the role that is invoked.
        recipient: of the record that the message is about.
        ancestor: the record at a protocol path among those above the record, itself included once it exists.
    """

    author: str | None
    role: str | None
    recipient: Callable[[], str | None]
    ancestor: Callable[[str | None], Link | None]
    tenant_did: str

    def wrote(self, record: Link | None) -> bool:
        return record is not None and self.author == (record.author or self.tenant_did)

    def received(self, record: Link | None) -> bool:
        return record is not None and self.author == record.recipient


class Actor(NamedTuple):
    """A row of `ACTORS`: the first that applies decides.

    Parameters:
        says: whom the rule is for, in words.
        applies: to this rule, with this asker.
        holds: True if the asker is such a one.
    """

    says: str
    applies: Callable[[ActionRule, Asker], bool]
    holds: Callable[[ActionRule, Asker], bool]


ACTORS = (
    Actor("`who: anyone`: whoever it is", lambda rule, asker: rule.get("who") == "anyone", lambda rule, asker: True),
    Actor("nobody signed: no one else", lambda rule, asker: asker.author is None, lambda rule, asker: False),
    Actor(
        "a role is invoked: the rule has that `role`",
        lambda rule, asker: asker.role is not None,
        lambda rule, asker: bool(rule.get("role") == asker.role),
    ),
    Actor(
        "`who: recipient`: the recipient of the record itself",
        lambda rule, asker: rule.get("who") == "recipient" and "of" not in rule,
        lambda rule, asker: asker.author == asker.recipient(),
    ),
    Actor(
        "`who: recipient, of: path`: the recipient of the record at that path, among those above",
        lambda rule, asker: rule.get("who") == "recipient",
        lambda rule, asker: asker.received(asker.ancestor(rule["of"])),
    ),
    Actor(
        "`who: author, of: path`: the author of the record at that path, among those above",
        lambda rule, asker: "of" in rule,
        lambda rule, asker: asker.wrote(asker.ancestor(rule["of"])),
    ),
)


@dataclass(frozen=True, slots=True)
class Place:
    """The DWN in which something is asked for."""

    store: Store
    tenant: int
    tenant_did: str


def authorize_write(place: Place, write: ParsedWrite) -> None:
    """
    Raises:
        Unauthorized: with the reference's code.
    """
    descriptor = write.descriptor
    initial = stored.link(place.store, place.tenant, write.message["recordId"])
    case = "a new record" if write.is_initial else "an update"
    # An update of what is not there is no action at all.
    by_author = None if initial is None and not write.is_initial else _is_by(place, write.author, initial)
    _authorize(
        place,
        write.parties,
        _actions("Write", case, by_author),
        protocol=descriptor["protocol"],
        path=descriptor["protocolPath"],
        context=write.message["contextId"],
        record_id=descriptor.get("parentId") if initial is None else initial.record_id,
        recipient=lambda: descriptor.get("recipient"),
    )


def authorize_read(place: Place, parties: Parties, write: Mapping[str, Any]) -> None:
    """
    Parameters:
        write: the RecordsWrite to be read, of a record of a protocol.

    Raises:
        Unauthorized: with the reference's code.
    """
    _authorize_on_record(place, parties, write, "Read", "a read")


def authorize_delete(place: Place, parties: Parties, initial_write: Mapping[str, Any], *, prune: bool) -> None:
    """
    Parameters:
        initial_write: of the record to be deleted, which is of a protocol.

    Raises:
        Unauthorized: with the reference's code.
    """
    _authorize_on_record(place, parties, initial_write, "Delete", "a prune" if prune else "a delete")


def authorize_query(place: Place, parties: Parties, filter: Mapping[str, Any], *, method: str = "Query") -> None:
    """
    Parameters:
        filter: of the query or subscription.
        method: "Query" or "Subscribe".

    Raises:
        Unauthorized: with the reference's code.
    """
    case = "a query" if method == "Query" else "a subscription"
    _authorize(
        place,
        parties,
        _actions(method, case, False),
        protocol=filter.get("protocol"),
        path=filter["protocolPath"],
        context=filter.get("contextId"),
        record_id=None,
        recipient=lambda: None,
    )


def _authorize_on_record(place: Place, parties: Parties, write: Mapping[str, Any], method: str, case: str) -> None:
    descriptor, record_id = write["descriptor"], write["recordId"]
    initial = stored.link(place.store, place.tenant, record_id)
    _authorize(
        place,
        parties,
        _actions(method, case, _is_by(place, parties.author, initial)),
        protocol=descriptor["protocol"],
        path=descriptor["protocolPath"],
        context=write["contextId"],
        record_id=record_id,
        recipient=lambda: descriptor.get("recipient"),
    )


def _is_by(place: Place, author: str | None, record: Link | None) -> bool:
    return record is not None and author == (record.author or place.tenant_did)


def _actions(method: str, case: str, by_author: bool | None) -> frozenset[str]:
    """The actions that would allow this; none where it is not even known whose record it is."""
    if by_author is None:
        return frozenset()
    return frozenset(
        row.action for row in ACTIONS if (row.method, row.case) == (method, case) and (by_author or not row.by_author)
    )


def _authorize(
    place: Place,
    parties: Parties,
    actions: frozenset[str],
    *,
    protocol: str | None,
    path: str,
    context: str | None,
    record_id: str | None,
    recipient: Callable[[], str | None],
) -> None:
    chain = _chain(place, record_id)
    role = parties.claims.get("protocolRole")
    try:
        definition = definition_of(place.store, place.tenant, protocol)
    except BadRequest as error:
        raise Unauthorized(error.code, error.message) from None
    rules = _rule_set(definition, path)
    if role is not None:
        _check_role(place, definition, protocol, role, parties.author, context)
    if rules.actions is None:
        raise Unauthorized(
            Code.ProtocolAuthorizationActionRulesNotFound, f"no action rule defined, {parties.author} is unauthorized"
        )
    asker = Asker(
        parties.author,
        role,
        recipient,
        lambda wanted: next((link for link in chain if link.protocol_path == wanted), None),
        place.tenant_did,
    )
    if not any(actions.intersection(rule["can"]) and _is_for(rule, asker) for rule in rules.actions):
        raise Unauthorized(
            Code.ProtocolAuthorizationActionNotAllowed,
            f"{' or '.join(sorted(actions)) or 'the action'} at {path} by {parties.author} not allowed.",
        )


def _is_for(rule: ActionRule, asker: Asker) -> bool:
    return next((actor.holds(rule, asker) for actor in ACTORS if actor.applies(rule, asker)), False)


def _rule_set(definition: Definition, path: str) -> RuleSet:
    rules = definition.rule_set(path)
    if rules is None:
        raise Unauthorized(Code.ProtocolAuthorizationMissingRuleSet, f"No rule set defined for protocolPath {path}")
    return rules


def _chain(place: Place, record_id: str | None) -> list[Link]:
    """A record and all above it, the root first."""
    chain: list[Link] = []
    while record_id is not None:
        link = stored.link(place.store, place.tenant, record_id)
        if link is None:
            raise Unauthorized(
                Code.ProtocolAuthorizationParentNotFoundConstructingRecordChain,
                f"no parent found with ID {record_id} when constructing record chain.",
            )
        chain.append(link)
        record_id = link.parent_id
    chain.reverse()
    return chain


def _check_role(
    place: Place, definition: Definition, protocol: str | None, role: str, author: str | None, context: str | None
) -> None:
    """The author has the role that the message invokes, in the context of the message (`verifyInvokedRole`)."""
    rules = definition.rule_set(role)
    if rules is None or not rules.is_role:
        raise Unauthorized(Code.ProtocolAuthorizationNotARole, f"Protocol path {role} does not match role record type.")
    levels = role.count("/")
    if levels and context is None:
        raise Unauthorized(
            Code.ProtocolAuthorizationMissingContextId, "Could not verify role because contextId is missing."
        )
    prefix = "/".join((context or "").split("/")[:levels])
    assert protocol is not None and author is not None
    if not stored.holders(
        place.store, place.tenant, protocol=protocol, protocol_path=role, recipient=author, context=prefix
    ):
        raise Unauthorized(
            Code.ProtocolAuthorizationMatchingRoleRecordNotFound,
            f"No matching role record found for protocol path {role}",
        )
