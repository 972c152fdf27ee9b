"""Protocol definitions as the rules that their records are held to, parsed once for each configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from web5.dwn.codes import Code
from web5.dwn.permissions import protocol as permissions
from web5.dwn.protocols.tags import TagRules
from web5.dwn.protocols.validation import rule_sets_below
from web5.dwn.store import protocols as stored
from web5.dwn.store.store import Store
from web5.errors import BadRequest
from web5.lru import LruCache

REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules for the records of one protocol path.

    Parameters:
        actions: the action rules; None if there are none at all.
        is_role: such a record gives its recipient a role.
        min_size, max_size: of the data, in bytes.
    """

    actions: tuple[Mapping[str, Any], ...] | None
    is_role: bool
    min_size: float
    max_size: float | None
    tags: TagRules | None

    @staticmethod
    def of(raw: Mapping[str, Any]) -> RuleSet:
        size, actions, tags = raw.get("$size", {}), raw.get("$actions"), raw.get("$tags")
        return RuleSet(
            None if actions is None else tuple(actions),
            raw.get("$role") is True,
            size.get("min", 0),
            size.get("max"),
            None if tags is None else TagRules.of(tags),
        )


class Definition:
    """A protocol: the types of its records, and a rule set for each protocol path.

    Parameters:
        raw: the definition in the wire's shape, as it was accepted.
    """

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.types: Mapping[str, Any] = raw["types"]
        self._rule_sets = {path: RuleSet.of(rules) for path, rules in _paths(raw["structure"], "")}

    def rule_set(self, path: str) -> RuleSet | None:
        return self._rule_sets.get(path)


def _paths(structure: Mapping[str, Any], above: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, inner in rule_sets_below(structure):
        path = f"{above}{name}"
        yield path, inner
        yield from _paths(inner, f"{path}/")


_PERMISSIONS = Definition(permissions.DEFINITION)
_parsed: LruCache[str, Definition] = LruCache(REMEMBERED)
"""By the CID of the configuration, which stands for one definition wherever it is stored."""


def definition_of(store: Store, tenant: int, protocol: str | None) -> Definition:
    """The protocol as the tenant has it configured now.

    Raises:
        BadRequest: `ProtocolAuthorizationProtocolNotFound`.
    """
    if protocol == permissions.URI:
        return _PERMISSIONS
    cid = None if protocol is None else stored.configured(store, tenant, protocol)
    if cid is None:
        raise BadRequest(
            Code.ProtocolAuthorizationProtocolNotFound, f"unable to find protocol definition for {protocol}"
        )
    known = _parsed.get(cid)
    if known is not None:
        return known
    row = store.message(tenant, cid)
    assert row is not None
    definition = Definition(row.message["descriptor"]["definition"])
    _parsed.put(cid, definition)
    return definition
