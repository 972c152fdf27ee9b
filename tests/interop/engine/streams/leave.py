"""Who may send a message: somebody whom a rule, a role or a grant allows it, so that every way in is gone often."""

from __future__ import annotations

import dataclasses

from tests.interop.engine.streams.cast import Actor
from tests.interop.engine.streams.step import Message, Signed
from tests.interop.engine.streams.world import Grant, Record, World, rules_at

TAKES_GRANTS = frozenset({("Records", "Write"), ("Records", "Read")})
"""Messages that can invoke a grant; all messages can be signed by a delegate."""


class Leave:
    def __init__(self, world: World) -> None:
        self.world = world

    def given(
        self,
        tenant: Actor,
        method: str,
        actions: set[str],
        *,
        protocol: str | None,
        path: str | None,
        chain: list[Record],
    ) -> Signed | None:
        """Somebody who may well do this to a record.

        Parameters:
            method: of the Records interface.
            actions: those that allow it.
            chain: the records above, the record itself last if it is there already.
        """
        ways = [self._by_rule, self._by_rule, self._by_grant]
        self.world.rng.shuffle(ways)
        for way in ways:
            signed = way(tenant, method, actions, protocol, path, chain)
            if signed is not None:
                return dataclasses.replace(signed, trusted=True)
        return None

    def to_one(self, records: list[Record], method: str, actions: set[str]) -> tuple[Record, Signed] | None:
        """One of the records, as a rule a late one, and somebody who may do this to it."""
        for record in self.world.rng.sample(records[-30:], min(len(records), 6)):
            chain = self.chain(record)
            signed = self.given(record.tenant, method, actions, protocol=record.protocol, path=record.path, chain=chain)
            if signed is not None:
                return record, signed
        return None

    def chain(self, record: Record | None) -> list[Record]:
        """The record and all above it, the root first."""
        found: list[Record] = []
        while record is not None and record not in found:
            found.insert(0, record)
            parent_id = record.first["descriptor"].get("parentId")
            above = [one for one in self.world.at(record.tenant) if one.record_id == parent_id]
            record = above[0] if above else None
        return found

    def question(self, tenant: Actor, action: str) -> tuple[Message, Signed] | None:
        """What somebody with a role may ask for."""
        world = self.world
        every = [
            (definition, role, path)
            for definition in world.protocols(tenant)
            for path, rule in _role_rules(definition["structure"])
            if action in rule.get("can", [])
            for role in world.at(tenant, protocol=definition["protocol"], path=rule["role"])
            if role.sound and not role.deleted
        ]
        if not every:
            return None
        definition, role, path = world.one(every)
        filter: Message = {"protocol": definition["protocol"], "protocolPath": path}
        above = str(role.context_id).rpartition("/")[0]
        if above and world.maybe(0.95):
            filter["contextId"] = above
        recipient = world.actor(role.first["descriptor"].get("recipient"))
        return filter, Signed(recipient, {"protocolRole": str(role.path)})

    def owner(self, tenant: Actor, protocol: str | None, path: str | None) -> Grant | None:
        """A grant under which somebody may sign as the owner of the tenant's DWN."""
        grants = [
            grant
            for grant in self.world.grants
            if grant.delegated and grant.grantor is tenant and self._fits(grant, "Write", protocol, path, None)
        ]
        return self.world.recent(grants) if grants else None

    def _by_rule(
        self, tenant: Actor, method: str, actions: set[str], protocol: str | None, path: str | None, chain: list[Record]
    ) -> Signed | None:
        definition = self.world.definitions.get((tenant.did, protocol or ""))
        if definition is None or path is None:
            return None
        rules = [rule for rule in rules_at(definition, path).get("$actions", []) if actions.intersection(rule["can"])]
        self.world.rng.shuffle(rules)
        found = (self._whom(rule, tenant, protocol, chain) for rule in rules)
        return next((signed for signed in found if signed is not None), None)

    def _whom(self, rule: Message, tenant: Actor, protocol: str | None, chain: list[Record]) -> Signed | None:
        world = self.world
        if rule.get("who") == "anyone":
            return Signed(world.anyone())
        if "role" in rule:
            levels = rule["role"].count("/")
            context = str(chain[-1].context_id).split("/")[:levels] if chain else []
            roles = [
                role
                for role in world.at(tenant, protocol=protocol, path=rule["role"])
                if role.sound and not role.deleted and str(role.context_id).split("/")[:levels] == context
            ]
            if not roles:
                return None
            recipient = world.one(roles).first["descriptor"].get("recipient")
            return Signed(world.actor(recipient), {"protocolRole": rule["role"]})
        record = next((one for one in chain if one.path == rule.get("of")), None) if "of" in rule else None
        record = chain[-1] if "of" not in rule and chain else record
        if record is None:
            return None
        if rule.get("who") == "author":
            return Signed(record.author)
        recipient = record.first["descriptor"].get("recipient")
        return None if recipient is None else Signed(world.actor(recipient))

    def _by_grant(
        self, tenant: Actor, method: str, actions: set[str], protocol: str | None, path: str | None, chain: list[Record]
    ) -> Signed | None:
        world = self.world
        context = chain[-1].context_id if chain else None
        grants = [
            grant
            for grant in world.grants
            if grant.grantor is tenant
            and (grant.delegated or ("Records", method) in TAKES_GRANTS)
            and self._fits(grant, method, protocol, path, context)
        ]
        if not grants:
            return None
        grant = world.recent(grants)
        if grant.delegated and (("Records", method) not in TAKES_GRANTS or world.maybe(0.7)):
            return Signed(grant.grantee, {}, grant.message)
        return Signed(grant.grantee, {"permissionGrantId": grant.record.record_id})

    def _fits(self, grant: Grant, method: str, protocol: str | None, path: str | None, context: str | None) -> bool:
        scope = grant.scope
        return (
            grant.record.sound
            and not grant.revoked
            and grant.expires > self.world.later(0)
            and (scope["interface"], scope["method"], scope.get("protocol")) == ("Records", method, protocol)
            and scope.get("protocolPath") in (None, path)
            and (context or "").startswith(scope.get("contextId", ""))
        )


def _role_rules(structure: Message, prefix: str = "") -> list[tuple[str, Message]]:
    """The action rules for roles, with the paths where they stand."""
    found = []
    for name, rules in structure.items():
        if name.startswith("$") or not isinstance(rules, dict):
            continue
        found += [(prefix + name, rule) for rule in rules.get("$actions", []) if "role" in rule]
        found += _role_rules(rules, f"{prefix}{name}/")
    return found
