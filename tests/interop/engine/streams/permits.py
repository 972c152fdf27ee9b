"""Makers of permission requests, grants and revocations, good and odd."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from tests.interop.engine.streams import authoring, definitions
from tests.interop.engine.streams.authoring import without_none
from tests.interop.engine.streams.cast import Actor
from tests.interop.engine.streams.step import Message, Signed, Step
from tests.interop.engine.streams.world import DAY, PERMISSIONS, Grant, Record, World, paths
from web5.dwn.values.cid import data_cid

SCOPES = {
    ("Records", "Write"): 6.0,
    ("Records", "Read"): 3.0,
    ("Records", "Delete"): 3.0,
    ("Records", "Query"): 3.0,
    ("Records", "Subscribe"): 2.0,
    ("Messages", "Query"): 2.0,
    ("Messages", "Read"): 2.0,
    ("Messages", "Subscribe"): 2.0,
    ("Protocols", "Configure"): 2.0,
    ("Protocols", "Query"): 2.0,
}


class Permits:
    def __init__(self, world: World) -> None:
        self.world = world

    def request(self) -> Step:
        world = self.world
        tenant = world.tenant()
        scope = self.scope(tenant)
        value: Message = without_none(
            description="please" if world.maybe(0.3) else None,
            delegated=world.maybe(0.5),
            scope=scope,
            conditions=self._conditions(),
        )
        tags = self._tags(scope)
        if world.maybe(0.2):
            value, tags = self._odd(value, tags)
        signed = Signed(world.author(tenant, 0.2))
        step, record = self._write("request", tenant, signed, value, tags)
        step.then = lambda: (world.keep(record), world.requests.append(record))
        return step

    def grant(self) -> Step:
        world = self.world
        tenant = world.tenant()
        grantor = tenant if world.maybe(0.93) else world.anyone()
        return self._grant(tenant, Signed(grantor, world.claims(tenant, grantor, "Records", "Write", 0.02)))

    def grant_by_delegate(self) -> Step:
        world = self.world
        tenant = world.tenant()
        grants = [g for g in world.usable_grants(delegated=True) if g.scope["method"] == "Write"]
        if not grants:
            return self.grant()
        grant = world.recent(grants)
        return self._grant(tenant, Signed(grant.grantee, {}, grant.message))

    def _grant(self, tenant: Actor, signed: Signed) -> Step:
        world = self.world
        scope = self.scope(tenant)
        delegated, expires = world.maybe(0.5), world.later(world.one((*[DAY] * 16, 200_000, 30_000, 0, -DAY)))
        value: Message = without_none(
            dateExpires=expires,
            requestId=world.recent(world.requests).record_id if world.requests and world.maybe(0.3) else None,
            description="for work" if world.maybe(0.2) else None,
            delegated=True if delegated else world.one((None, False)),
            scope=scope,
            conditions=self._conditions(),
        )
        tags, odd = self._tags(scope), world.maybe(0.12)
        if odd:
            value, tags = self._odd(value, tags)
        grantee = world.one([actor for actor in world.actors if actor is not tenant])
        step, record = self._write("grant", tenant, signed, value, tags, recipient=grantee.did)
        message = authoring.with_data(record.first, record.data)
        grantor = world.actor(authoring.author_of(signed))
        full_scope = {"interface": "x", "method": "x", **scope}
        made = Grant(record, message, grantor, grantee, full_scope, delegated, expires)

        def remember() -> None:
            record.sound = record.sound and not odd
            world.keep(record)
            if not odd or (not delegated and world.maybe(0.1)):
                world.grants.append(made)

        step.then = remember
        return step

    def revoke(self) -> Step:
        world = self.world
        if not world.grants:
            return self.grant()
        grant = world.recent(world.grants, 12)
        tenant = grant.record.tenant
        signed = world.signed(tenant, author=tenant if world.maybe(0.85) else None, interface="Records", method="Write")
        value: Any = {"description": "enough"} if world.maybe(0.4) else {}
        tags = self._tags(grant.scope)
        if world.maybe(0.15):
            value, tags = self._odd_revocation(value, tags)
        time = None
        if world.maybe(0.2):
            time = world.later(world.one((-100_000, 100_000, 20_000)))
        step, record = self._write("revoke", tenant, signed, value, tags, parent=grant.record, time=time)

        def remember() -> None:
            world.keep(record)
            grant.revoked = True

        step.then = remember
        return step

    def _write(
        self,
        what: str,
        tenant: Actor,
        signed: Signed,
        value: Any,
        tags: Message | None,
        *,
        recipient: str | None = None,
        parent: Record | None = None,
        time: str | None = None,
    ) -> tuple[Step, Record]:
        world = self.world
        data = value if isinstance(value, bytes) else authoring.json_data(value)
        if world.maybe(0.02):
            data += b" " * 10_001
        time = time or world.now()
        published = True if world.maybe(0.1) else None
        descriptor = without_none(
            interface="Records",
            method="Write",
            protocol=PERMISSIONS,
            protocolPath={"request": "request", "grant": "grant", "revoke": "grant/revocation"}[what],
            recipient=recipient,
            tags=tags,
            parentId=None if parent is None else parent.record_id,
            dataCid=data_cid(data),
            dataSize=len(data),
            dateCreated=time,
            messageTimestamp=time,
            published=published,
            datePublished=time if published else None,
            dataFormat="application/json" if world.maybe(0.98) else "text/plain",
        )
        message = authoring.write(descriptor, signed, parent_context_id=None if parent is None else parent.context_id)
        sent = data if world.maybe(0.96) else None
        record = Record(tenant, world.actor(authoring.author_of(signed)), [message], signed, data)
        step = world.step(what, tenant, message, sent, made=signed)
        by_tenant = signed.signer is tenant and signed.delegated is None
        record.sound = by_tenant and sent is data and step.tenant == tenant.did
        return step, record

    # Parts

    def scope(self, tenant: Actor) -> Message:
        world = self.world
        interface, method = world.weighted(SCOPES)
        scope: Message = {"interface": interface, "method": method}
        known = world.protocols(tenant)
        definition = world.one(known) if known else None
        uri = definition["protocol"] if definition else world.one(definitions.URIS)
        if interface == "Records" or world.maybe(0.5):
            scope["protocol"] = uri
        if interface == "Records":
            within = [record for record in world.at(tenant, protocol=uri) if record.context_id]
            if world.maybe(0.2) and within:
                context = str(world.recent(within).context_id)
                scope["contextId"] = context if world.maybe(0.8) else context[:20]
            elif world.maybe(0.25) and definition:
                scope["protocolPath"] = world.one(paths(definition["structure"]) or ["post"])
        return scope

    def _conditions(self) -> Message | None:
        world = self.world
        return world.one((None, None, None, {}, {"publication": "Required"}, {"publication": "Prohibited"}))

    def _tags(self, scope: Message) -> Message | None:
        return {"protocol": scope["protocol"]} if "protocol" in scope else None

    def _odd(self, value: Message, tags: Message | None) -> tuple[Any, Message | None]:
        world = self.world
        value = copy.deepcopy(value)
        scope = value["scope"]
        both = {"contextId": "abc", "protocolPath": "post", "interface": "Records", "method": "Write"}
        both["protocol"] = scope.get("protocol", world.one(definitions.URIS))
        changes: list[Callable[[], Any]] = [
            lambda: scope.update(protocol=world.one(("Example.com/", "https://example.com/a?b", 1, None))),
            lambda: scope.pop("protocol", None),
            lambda: scope.pop("method"),
            lambda: scope.update(method="Fly"),
            lambda: scope.update(method="Configure"),
            lambda: scope.update(interface="Protocols"),
            lambda: scope.update(both),
            lambda: scope.update(both),
            lambda: scope.update(extra=1),
            lambda: value.update(scope=world.one(({}, [], None, "x"))),
            lambda: value.update(delegated="yes"),
            lambda: value.update(conditions=world.one(({"publication": "Maybe"}, {"other": 1}, []))),
            lambda: value.update(description=1),
            lambda: value.update(dateExpires=world.one(("2024", "2030-02-30T00:00:00.000000Z", 7))),
            lambda: value.update(extra=1),
            lambda: value.pop(world.one(list(value))),
        ]
        way = world.rng.randrange(len(changes) + 3)
        if way < len(changes):
            changes[way]()
            if "protocol" in scope and world.maybe(0.7) and isinstance(scope["protocol"], str):
                tags = {"protocol": scope["protocol"]}
            return value, tags
        if way == len(changes):
            return value, world.one(
                ({"protocol": "https://example.com/other"}, {"other": 1}, None, {"protocol": ["a"]})
            )
        return world.one((b"nonsense", b"[]", b"1", b"null", b'"x"', b"\xff", b"{}", b'{"a":1', b" {} ")), tags

    def _odd_revocation(self, value: Any, tags: Message | None) -> tuple[Any, Message | None]:
        world = self.world
        if world.maybe(0.5):
            return value, world.one(({"protocol": "https://example.com/other"}, {"other": 1}, None))
        return world.one((b"nonsense", b"[]", b"null", b"1", {"description": 1}, {"extra": 1})), tags
