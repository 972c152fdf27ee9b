"""Makers of queries, reads and subscriptions."""

from __future__ import annotations

import dataclasses

from tests.interop.engine.streams import authoring, definitions
from tests.interop.engine.streams.authoring import without_none
from tests.interop.engine.streams.cast import Actor
from tests.interop.engine.streams.filters import Filters
from tests.interop.engine.streams.leave import Leave
from tests.interop.engine.streams.step import Message, Signed, Step
from tests.interop.engine.streams.world import PERMISSIONS, World, paths
from web5.dwn.values.cid import message_cid

SORTS = ("createdAscending", "createdDescending", "publishedAscending", "publishedDescending", None)


class Questions:
    def __init__(self, world: World) -> None:
        self.world = world
        self.leave = Leave(world)
        self.filters = Filters(world)
        self.pages: list[tuple[Step, Actor]] = []
        self.logs: list[tuple[Step, Actor]] = []
        self.subscriptions: list[Step] = []

    # Records

    def query(self) -> Step:
        world = self.world
        tenant = world.tenant()
        filter, signed = self._filter_and_signed(tenant, "Query")
        sort = world.one(SORTS)
        if filter.get("published") is False and sort and sort.startswith("published") and world.maybe(0.9):
            sort = None
        pagination = {"limit": world.one((1, 2, 3, 5, 1000))} if world.maybe(0.6) else None
        descriptor = without_none(
            interface="Records",
            method="Query",
            messageTimestamp=world.now(),
            filter=filter,
            dateSort=sort,
            pagination=pagination,
        )
        step = world.step("query", tenant, authoring.plain(descriptor, signed), made=signed)
        step.then = lambda: self.pages.append((step, tenant))
        return step

    def next_page(self) -> Step:
        """The same question, from where the reply to an earlier one ended."""
        world = self.world
        if not self.pages:
            return self.query()
        step, tenant = world.recent(self.pages, 5)
        if step.made is None and "authorization" in step.message:
            return self.query()
        limit = {"limit": world.one((1, 2, 3))} if world.maybe(0.8) else {}
        descriptor = {**step.message["descriptor"], "messageTimestamp": world.now(), "pagination": limit}
        page = world.step("query", tenant, authoring.plain(descriptor, step.made), made=step.made)
        page.tenant = step.tenant
        page.cursor_of = step.number if step.made is not None else None
        page.then = lambda: self.pages.append((page, tenant))
        return page

    def read(self) -> Step:
        world = self.world
        tenant = world.tenant()
        known = world.at(tenant)
        if known and world.maybe(0.75):
            record = world.recent(world.likely(known), 50)
            signed = self._reader(tenant, "Read", record.protocol)
            if world.maybe(0.35):
                found = self.leave.to_one([one for one in known if one.sound], "Read", {"read"})
                record, signed = found or (record, signed)
            filter: Message = {"recordId": record.record_id}
        else:
            filter, signed = self._filter_and_signed(tenant, "Read", self.world.one((2, 3, 4)))
        descriptor = {"interface": "Records", "method": "Read", "filter": filter, "messageTimestamp": world.now()}
        return world.step("read", tenant, authoring.plain(descriptor, signed), made=signed)

    def subscribe(self) -> Step:
        world = self.world
        tenant = world.tenant()
        filter, signed = self._filter_and_signed(tenant, "Subscribe", world.one((1, 1, 2)))
        descriptor = {"interface": "Records", "method": "Subscribe", "messageTimestamp": world.now(), "filter": filter}
        step = world.step("subscribe", tenant, authoring.plain(descriptor, signed), made=signed)
        step.then = lambda: self.subscriptions.append(step)
        return step

    def unsubscribe(self) -> Step:
        world = self.world
        if not self.subscriptions:
            return self.subscribe()
        step = self.subscriptions.pop(world.rng.randrange(len(self.subscriptions)))
        return world.step("unsubscribe", world.owner, None, closes=step.number)

    # Messages

    def messages_query(self) -> Step:
        world = self.world
        tenant = world.tenant()
        signer, claims = self._messages_signer(tenant, "Query")
        descriptor = {
            "interface": "Messages",
            "method": "Query",
            "filters": self._messages_filters(tenant),
            "messageTimestamp": world.now(),
        }
        signed = Signed(signer, claims)
        step = world.step("log", tenant, authoring.plain(descriptor, signed), made=signed)
        if self.logs and world.maybe(0.5):
            earlier, its_tenant = world.recent(self.logs, 5)
            if its_tenant is tenant:
                step.cursor_of, step.tenant = earlier.number, earlier.tenant
        step.then = lambda: self.logs.append((step, tenant))
        return step

    def messages_read(self) -> Step:
        world = self.world
        tenant = world.tenant()
        signer, claims = self._messages_signer(tenant, "Read")
        known = [
            step
            for step in world.sent[-150:]
            if step.what in ("write", "update", "delete", "configure", "grant", "revoke") and step.tenant == tenant.did
        ]
        cid = message_cid(world.one(known).message) if known else "bafyreinone"
        if world.maybe(0.06):
            cid = world.one(("", "nonsense", "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku", "z" * 46))
        descriptor = {"interface": "Messages", "method": "Read", "messageCid": cid, "messageTimestamp": world.now()}
        signed = Signed(signer, claims)
        return world.step("message", tenant, authoring.plain(descriptor, signed), made=signed)

    def messages_subscribe(self) -> Step:
        world = self.world
        tenant = world.tenant()
        signer, claims = self._messages_signer(tenant, "Subscribe")
        descriptor = {
            "interface": "Messages",
            "method": "Subscribe",
            "filters": self._messages_filters(tenant),
            "messageTimestamp": world.now(),
        }
        signed = Signed(signer, claims)
        step = world.step("subscribe", tenant, authoring.plain(descriptor, signed), made=signed)
        step.then = lambda: self.subscriptions.append(step)
        return step

    def _messages_signer(self, tenant: Actor, method: str) -> tuple[Actor, dict[str, str]]:
        world = self.world
        fitting = [
            grant
            for grant in world.grants
            if grant.grantor is tenant and (grant.scope["interface"], grant.scope["method"]) == ("Messages", method)
        ]
        if fitting and world.maybe(0.4):
            grant = world.recent(fitting)
            return grant.grantee, {"permissionGrantId": grant.record.record_id}
        signer = world.author(tenant, 0.8)
        return signer, world.claims(tenant, signer, "Messages", method, 0.4 if signer is not tenant else 0.05)

    def _messages_filters(self, tenant: Actor) -> list[Message]:
        world = self.world
        return [self._messages_filter(tenant) for _ in range(world.one((0, 0, 1, 1, 1, 2, 3)))]

    def _messages_filter(self, tenant: Actor) -> Message:
        world = self.world
        every: Message = {
            "interface": world.one(("Records", "Records", "Protocols", "Messages")),
            "method": world.one(("Write", "Write", "Delete", "Configure", "Query")),
            "protocol": world.one((*definitions.URIS, PERMISSIONS)),
            "messageTimestamp": self.filters.span(),
        }
        name = world.one(("interface", "method", "protocol", "protocol", "messageTimestamp"))
        return {key: value for key, value in every.items() if key == name or world.maybe(0.2)}

    # Who asks, and for what

    def _reader(self, tenant: Actor, method: str, protocol: str | None) -> Signed | None:
        world = self.world
        if world.maybe(0.12):
            return None
        signed = world.signed(tenant, author=world.author(tenant, 0.35), interface="Records", method=method)
        acting = world.actor(authoring.author_of(signed))
        roles = world.role(tenant, acting, protocol, 0.04 if acting is tenant else 0.5)
        claims = {**signed.claims, **roles}
        if method != "Read" and world.maybe(0.8):
            # Only a read is made with a grant; elsewhere it does nothing.
            claims.pop("permissionGrantId", None)
        return dataclasses.replace(signed, claims=claims)

    def _filter_and_signed(self, tenant: Actor, method: str, size: int | None = None) -> tuple[Message, Signed | None]:
        world = self.world
        known = world.protocols(tenant)
        if known and world.maybe(0.25):
            asked = self.leave.question(tenant, method.lower())
            if asked is not None:
                return asked
        if known and world.maybe(0.45):
            return self._protocol_question(tenant, method)
        filter = self.filters.records(tenant, size or world.one((1, 1, 2, 2, 3, 4)))
        protocol = filter.get("protocol")
        return filter, self._reader(tenant, method, protocol if isinstance(protocol, str) else None)

    def _protocol_question(self, tenant: Actor, method: str) -> tuple[Message, Signed | None]:
        """What an app of a protocol asks: a path, perhaps in a context, with a role."""
        world = self.world
        definition = world.one(world.protocols(tenant))
        uri = definition["protocol"]
        signed = self._reader(tenant, method, uri)
        if world.maybe(0.2):
            signed = self.leave.given(tenant, method, set(), protocol=uri, path=None, chain=[]) or signed
        filter: Message = {"protocol": uri}
        every = paths(definition["structure"])
        if every and (
            world.maybe(0.75) or (signed is not None and "protocolRole" in signed.claims and world.maybe(0.9))
        ):
            filter["protocolPath"] = world.one(every)
        contexts = world.likely([record for record in world.at(tenant, protocol=uri) if record.context_id])
        if contexts and world.maybe(0.5):
            context = str(world.recent(contexts).context_id)
            filter["contextId"] = context if world.maybe(0.6) else context.split("/")[0]
        if world.maybe(0.3):
            filter |= self.filters.records(tenant, 1)
            filter["protocol"] = uri
        return filter, signed
