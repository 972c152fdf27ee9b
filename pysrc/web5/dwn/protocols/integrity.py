"""The demands of protocols on their records (`ProtocolAuthorization.validateReferentialIntegrity`).

`CHECKS` is the table, in the reference's order; `validate_referential_integrity` is the interpreter. Who may write the
record is checked in `authorization`. Of a message from the past that the tenant wrote, only some are asked
(`dwn.history`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from web5.dwn.codes import Code
from web5.dwn.protocols.definitions import Definition, RuleSet, definition_of
from web5.dwn.protocols.place import Place
from web5.dwn.store import protocols as stored
from web5.dwn.values.faults import shown
from web5.errors import BadRequest

Refusal = tuple[Code | None, str] | None


@dataclass(frozen=True, slots=True)
class _Case:
    place: Place
    is_tenants: bool
    message: Mapping[str, Any]
    descriptor: Mapping[str, Any]
    definition: Definition
    path: str
    type_name: str

    @property
    def rules(self) -> RuleSet:
        """The rule set of the record's path, which an earlier check found."""
        rules = self.definition.rule_set(self.path)
        assert rules is not None
        return rules


class Check(NamedTuple):
    """A row of `CHECKS`.

    Parameters:
        says: the demand in words.
        codes: all that `refusal` can have.
        refusal: the code and the message, if the write does not fulfil it.
        always: True if it is also asked of what the tenant wrote in the past.
    """

    says: str
    codes: tuple[Code, ...]
    refusal: Callable[[_Case], Refusal]
    always: bool = False


def validate_referential_integrity(place: Place, message: Mapping[str, Any], *, is_tenants: bool = False) -> None:
    """Check that a RecordsWrite is as its protocol demands, or raise BadRequest with the reference's code.

    Parameters:
        is_tenants: the tenant is the author, or has signed as the owner.
    """
    descriptor = message["descriptor"]
    path = descriptor["protocolPath"]
    definition = definition_of(place.store, place.tenant, descriptor["protocol"], place.at)
    case = _Case(place, is_tenants, message, descriptor, definition, path, path.rpartition("/")[2])
    exempt = is_tenants and place.at is not None
    for check in CHECKS:
        refusal = None if exempt and not check.always else check.refusal(case)
        if refusal is not None:
            raise BadRequest(refusal[0] or "", refusal[1])


def _type(case: _Case) -> Refusal:
    kind = case.definition.types.get(case.type_name)
    if kind is None:
        return Code.ProtocolAuthorizationInvalidType, f"record with type {case.type_name} not allowed in protocol"
    schema, data_format = case.descriptor.get("schema"), case.descriptor["dataFormat"]
    if "schema" in kind and kind["schema"] != schema:
        return (
            Code.ProtocolAuthorizationInvalidSchema,
            f"type '{case.type_name}' must have schema '{kind['schema']}', instead has '{shown(schema)}'",
        )
    if "dataFormats" in kind and data_format not in kind["dataFormats"]:
        return (
            Code.ProtocolAuthorizationIncorrectDataFormat,
            f"type '{case.type_name}' must have data format in ({','.join(kind['dataFormats'])}),"
            f" instead has '{data_format}'",
        )
    return None


def _place(case: _Case) -> Refusal:
    parent_id = case.descriptor.get("parentId")
    if parent_id is None:
        if "/" not in case.path:
            return None
        return (
            Code.ProtocolAuthorizationParentlessIncorrectProtocolPath,
            f"Declared protocol path '{case.path}' is not valid for records with no parent'.",
        )
    at = case.place.at
    if at is not None and case.is_tenants:
        at = ""  # whenever the parent was deleted
    parent = stored.parent(case.place.store, case.place.tenant, case.descriptor["protocol"], parent_id, at)
    if parent is None or f"{parent.protocol_path}/{case.type_name}" != case.path:
        return (
            Code.ProtocolAuthorizationIncorrectProtocolPath,
            f"Could not find matching parent record to verify declared protocol path '{case.path}'.",
        )
    expected, actual = f"{parent.context_id}/{case.message['recordId']}", case.message["contextId"]
    if actual == expected:
        return None
    return (
        Code.ProtocolAuthorizationIncorrectContextId,
        f"Declared contextId '{actual}' is not the same as expected: '{expected}'.",
    )


def _rule_set(case: _Case) -> Refusal:
    if case.definition.rule_set(case.path) is not None:
        return None
    return Code.ProtocolAuthorizationMissingRuleSet, f"No rule set defined for protocolPath {case.path}"


def _role(case: _Case) -> Refusal:
    if not case.rules.is_role:
        return None
    recipient = case.descriptor.get("recipient")
    if recipient is None:
        return Code.ProtocolAuthorizationRoleMissingRecipient, "Role records must have a recipient"
    context = case.message["contextId"].rpartition("/")[0]
    held = stored.role_records(
        *(case.place.store, case.place.tenant),
        protocol=case.descriptor["protocol"],
        protocol_path=case.path,
        recipient=recipient,
        context=context,
        at=case.place.at,
        since=case.place.at,
    )
    if all(record_id == case.message["recordId"] for record_id in held):
        return None
    return (
        Code.ProtocolAuthorizationDuplicateRoleRecipient,
        f"DID '{recipient}' is already recipient of a role record at protocol path '{case.path}'"
        f" under the parent context {context}.",
    )


def _size(case: _Case) -> Refusal:
    size, rules = case.descriptor["dataSize"], case.rules
    if size < rules.min_size:
        return Code.ProtocolAuthorizationMinSizeInvalid, f"data size {size} is less than allowed {rules.min_size}"
    if rules.max_size is not None and size > rules.max_size:
        return Code.ProtocolAuthorizationMaxSizeInvalid, f"data size {size} is more than allowed {rules.max_size}"
    return None


def _tags(case: _Case) -> Refusal:
    rules = case.rules.tags
    if rules is None:
        return None
    if rules.unusable is not None:
        return None, f"{case.path}/$tags: {rules.unusable}"
    try:
        found = rules.fault(case.descriptor.get("tags", {}))
    except RecursionError:
        return None, f"{case.path}/$tags: a $ref leads to itself"
    if found is None:
        return None
    root = f"{case.descriptor['protocol']}/{case.path}/$tags"
    return (
        Code.ProtocolAuthorizationTagsInvalidSchema,
        f"tags schema validation error: {found.text(root)}",
    )


CHECKS = (
    Check(
        "the record's type is one of the protocol's, with its schema and one of its data formats",
        (
            Code.ProtocolAuthorizationInvalidType,
            Code.ProtocolAuthorizationInvalidSchema,
            Code.ProtocolAuthorizationIncorrectDataFormat,
        ),
        _type,
    ),
    Check(
        "the protocol path and the context continue those of the parent, which is there",
        (
            Code.ProtocolAuthorizationParentlessIncorrectProtocolPath,
            Code.ProtocolAuthorizationIncorrectProtocolPath,
            Code.ProtocolAuthorizationIncorrectContextId,
        ),
        _place,
        always=True,
    ),
    Check("the protocol has a rule set for the path", (Code.ProtocolAuthorizationMissingRuleSet,), _rule_set),
    Check(
        "a role record (`$role`) has a recipient, who does not have that role in this context yet",
        (Code.ProtocolAuthorizationRoleMissingRecipient, Code.ProtocolAuthorizationDuplicateRoleRecipient),
        _role,
    ),
    Check(
        "the size of the data is within `$size`",
        (Code.ProtocolAuthorizationMinSizeInvalid, Code.ProtocolAuthorizationMaxSizeInvalid),
        _size,
    ),
    Check("the tags fit `$tags`", (Code.ProtocolAuthorizationTagsInvalidSchema,), _tags),
)
"""The demands on every RecordsWrite with a protocol, in the order in which they are checked."""
