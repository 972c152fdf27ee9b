"""Whether a RecordsWrite is what its protocol says it is (`ProtocolAuthorization.validateReferentialIntegrity`).

`CHECKS` is the table, in the order in which the reference looks; `validate_referential_integrity` is the interpreter.
Who may write the record is another question: see `authorization`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from web5.dwn.codes import Code
from web5.dwn.protocols.definitions import Definition, RuleSet, definition_of
from web5.dwn.store import protocols as stored
from web5.dwn.store.store import Store
from web5.errors import BadRequest

Refusal = tuple[Code | None, str]


@dataclass(frozen=True, slots=True)
class _Case:
    store: Store
    tenant: int
    message: Mapping[str, Any]
    definition: Definition

    @property
    def descriptor(self) -> Mapping[str, Any]:
        descriptor: Mapping[str, Any] = self.message["descriptor"]
        return descriptor

    @property
    def path(self) -> str:
        path: str = self.descriptor["protocolPath"]
        return path

    @property
    def type_name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def rules(self) -> RuleSet:
        """Of the record's path, which an earlier check found to have some."""
        rules = self.definition.rule_set(self.path)
        assert rules is not None
        return rules


class Check(NamedTuple):
    """
    Parameters:
        says: what must hold, in words.
        codes: those that the refusals can have.
        refusals: the first of them refuses the write.
    """

    says: str
    codes: tuple[Code, ...]
    refusals: Callable[[_Case], Iterator[Refusal]]


def validate_referential_integrity(store: Store, tenant: int, message: Mapping[str, Any]) -> None:
    """
    Parameters:
        tenant: the tenant's number.
        message: a RecordsWrite that names a protocol.

    Raises:
        BadRequest: with the reference's code.
    """
    case = _Case(store, tenant, message, definition_of(store, tenant, message["descriptor"]["protocol"]))
    for check in CHECKS:
        for code, detail in check.refusals(case):
            raise BadRequest(code or "", detail)


def _type(case: _Case) -> Iterator[Refusal]:
    kind = case.definition.types.get(case.type_name)
    if kind is None:
        yield Code.ProtocolAuthorizationInvalidType, f"record with type {case.type_name} not allowed in protocol"
        return
    schema, data_format = case.descriptor.get("schema"), case.descriptor["dataFormat"]
    if "schema" in kind and kind["schema"] != schema:
        yield (
            Code.ProtocolAuthorizationInvalidSchema,
            f"type '{case.type_name}' must have schema '{kind['schema']}', instead has '{schema}'",
        )
    if "dataFormats" in kind and data_format not in kind["dataFormats"]:
        yield (
            Code.ProtocolAuthorizationIncorrectDataFormat,
            f"type '{case.type_name}' must have data format in ({','.join(kind['dataFormats'])}),"
            f" instead has '{data_format}'",
        )


def _place(case: _Case) -> Iterator[Refusal]:
    parent_id = case.descriptor.get("parentId")
    if parent_id is None:
        if "/" in case.path:
            yield (
                Code.ProtocolAuthorizationParentlessIncorrectProtocolPath,
                f"Declared protocol path '{case.path}' is not valid for records with no parent'.",
            )
        return
    parent = stored.parent(case.store, case.tenant, case.descriptor["protocol"], parent_id)
    if parent is None or f"{parent.protocol_path}/{case.type_name}" != case.path:
        yield (
            Code.ProtocolAuthorizationIncorrectProtocolPath,
            f"Could not find matching parent record to verify declared protocol path '{case.path}'.",
        )
        return
    expected, actual = f"{parent.context_id}/{case.message['recordId']}", case.message["contextId"]
    if actual != expected:
        yield (
            Code.ProtocolAuthorizationIncorrectContextId,
            f"Declared contextId '{actual}' is not the same as expected: '{expected}'.",
        )


def _rule_set(case: _Case) -> Iterator[Refusal]:
    if case.definition.rule_set(case.path) is None:
        yield Code.ProtocolAuthorizationMissingRuleSet, f"No rule set defined for protocolPath {case.path}"


def _role(case: _Case) -> Iterator[Refusal]:
    if not case.rules.is_role:
        return
    recipient = case.descriptor.get("recipient")
    if recipient is None:
        yield Code.ProtocolAuthorizationRoleMissingRecipient, "Role records must have a recipient"
        return
    context = case.message["contextId"].rpartition("/")[0]
    holders = stored.role_records(
        case.store,
        case.tenant,
        protocol=case.descriptor["protocol"],
        protocol_path=case.path,
        recipient=recipient,
        context=context,
    )
    if any(record_id != case.message["recordId"] for record_id in holders):
        yield (
            Code.ProtocolAuthorizationDuplicateRoleRecipient,
            f"DID '{recipient}' is already recipient of a role record at protocol path '{case.path}'"
            f" under the parent context {context}.",
        )


def _size(case: _Case) -> Iterator[Refusal]:
    size, rules = case.descriptor["dataSize"], case.rules
    if size < rules.min_size:
        yield Code.ProtocolAuthorizationMinSizeInvalid, f"data size {size} is less than allowed {rules.min_size}"
    if rules.max_size is not None and size > rules.max_size:
        yield Code.ProtocolAuthorizationMaxSizeInvalid, f"data size {size} is more than allowed {rules.max_size}"


def _tags(case: _Case) -> Iterator[Refusal]:
    rules = case.rules.tags
    if rules is None:
        return
    if rules.unusable is not None:
        yield None, f"{case.path}/$tags: {rules.unusable}"
        return
    try:
        found = rules.fault(case.descriptor.get("tags", {}))
    except RecursionError:
        yield None, f"{case.path}/$tags: a $ref leads to itself"
        return
    if found is not None:
        yield (
            Code.ProtocolAuthorizationTagsInvalidSchema,
            f"tags schema validation error: {case.descriptor['protocol']}/{case.path}/$tags/{found}",
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
"""What must hold for every RecordsWrite with a protocol, in the order in which it is looked at."""
