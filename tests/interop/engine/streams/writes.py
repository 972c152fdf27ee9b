"""Makers of RecordsWrite and RecordsDelete: flat records and protocol records, by everybody and under everything."""

from __future__ import annotations

import dataclasses
from typing import Any

from tests.interop.engine.streams import authoring, definitions
from tests.interop.engine.streams.authoring import without_none
from tests.interop.engine.streams.cast import Actor
from tests.interop.engine.streams.content import Content
from tests.interop.engine.streams.encryption import Encryptions
from tests.interop.engine.streams.leave import Leave
from tests.interop.engine.streams.step import Message, Signed, Step
from tests.interop.engine.streams.world import PERMISSIONS, Record, World, anyone_can, paths, rules_at
from web5.dwn.values.cid import data_cid, message_cid

ENCRYPTED = 0.06
"""The share of writes that are encrypted anew."""


class Writes:
    def __init__(self, world: World) -> None:
        self.world = world
        self.leave = Leave(world)
        self.content = Content(world)
        self.encryptions = Encryptions(world)

    # New records

    def flat_record(self) -> Step:
        world = self.world
        tenant = world.tenant()
        signed = self._write_signed(tenant, None)
        descriptor = self._descriptor(
            schema=world.one((*definitions.SCHEMAS, None)), dataFormat=world.one(definitions.FORMATS)
        )
        return self._new(tenant, signed, *descriptor, sound=signed.signer is tenant and signed.delegated is None)

    def protocol_record(self) -> Step:
        world = self.world
        tenant = world.tenant()
        known = world.protocols(tenant)
        if not known:
            return self.flat_record()
        definition = world.one(known)
        every = paths(definition["structure"]) or ["post"]
        path = world.one(every)
        if rules_at(definition, path).get("$role"):
            path = world.one(every)
        return self._protocol_record(tenant, definition, path)

    def role_record(self) -> Step:
        """A role for somebody, at a path that has one."""
        world = self.world
        tenant = world.tenant()
        places = [
            (definition, path)
            for definition in world.protocols(tenant)
            for path in paths(definition["structure"])
            if rules_at(definition, path).get("$role")
        ]
        if not places:
            return self.protocol_record()
        return self._protocol_record(tenant, *world.one(places))

    def _protocol_record(self, tenant: Actor, definition: Message, path: str) -> Step:
        world = self.world
        uri = str(definition["protocol"])
        while "/" in path and not self._has_parent(tenant, uri, path) and world.maybe(0.95):
            path = path.rpartition("/")[0]
        parent = self._parent(tenant, uri, path)
        signed = self._write_signed(tenant, uri, None, path, self.leave.chain(parent), {"create"})
        rules = rules_at(definition, path)
        name = path.rpartition("/")[2]
        known_path = world.maybe(0.97)
        if not known_path:
            path = world.one((name, "thread/post", "none", "post/none"))
        of_type = definition.get("types", {}).get(name, {})
        conform = world.maybe(0.9)
        recipient = world.did() if world.maybe(0.5) else None
        taken = False
        if rules.get("$role"):
            holders = self._role_holders(tenant, uri, path, parent)
            free = [actor.did for actor in world.actors if actor.did not in holders]
            if not free and world.maybe(0.9):
                return self.flat_record()
            recipient = world.one(free) if free and world.maybe(0.92) else world.one((world.did(), world.did(), None))
            taken = recipient is None or recipient in holders
        descriptor, data = self._descriptor(
            protocol=uri,
            protocolPath=path,
            schema=of_type.get("schema", world.one((*definitions.SCHEMAS, None)))
            if conform
            else world.one(("urn:z", None)),
            dataFormat=world.one(of_type.get("dataFormats", definitions.FORMATS) if conform else ("image/png",)),
            recipient=recipient,
            tags=self.content.fitting_tags(rules) if conform else self.content.tags(),
            parentId=None if parent is None else self._parent_id(parent),
            size=self.content.fitting_size(rules) if conform else None,
        )
        context = None if parent is None else parent.context_id
        if parent is not None and world.maybe(0.02):
            context = world.one((f"{context}/x", "x", world.recent(world.records).context_id))
        plain = signed.delegated is None and (signed.signer is tenant or not signed.claims)
        allowed = signed.trusted or (plain and (signed.signer is tenant or anyone_can(rules, "create")))
        sound = (
            conform
            and known_path
            and allowed
            and not taken
            and "$tags" not in rules
            and (parent.sound if parent else "/" not in path)
        )
        return self._new(tenant, signed, descriptor, data, parent_context_id=context, sound=sound)

    def _has_parent(self, tenant: Actor, uri: str, path: str) -> bool:
        parents = self.world.at(tenant, protocol=uri, path=path.rpartition("/")[0])
        return any(parent.sound and not parent.deleted for parent in parents)

    def _parent(self, tenant: Actor, uri: str, path: str) -> Record | None:
        world = self.world
        above = path.rpartition("/")[0]
        if not above:
            return None
        parents = world.at(tenant, protocol=uri, path=above)
        if parents and world.maybe(0.97):
            return world.recent(world.likely(parents), 8)
        return world.recent(world.records) if world.records and world.maybe(0.5) else None

    def _role_holders(self, tenant: Actor, uri: str, path: str, parent: Record | None) -> set[str]:
        above = parent.context_id if parent else ""
        return {
            str(record.first["descriptor"].get("recipient"))
            for record in self.world.at(tenant, protocol=uri, path=path)
            if record.sound and not record.deleted and str(record.context_id).rpartition("/")[0] == above
        }

    def _parent_id(self, parent: Record) -> str:
        return parent.record_id if self.world.maybe(0.985) else self.world.recent(self.world.records).record_id

    def _new(
        self,
        tenant: Actor,
        signed: Signed,
        descriptor: Message,
        data: bytes,
        *,
        parent_context_id: str | None = None,
        sound: bool = False,
    ) -> Step:
        world = self.world
        encryption = self.encryptions.sound() if world.maybe(ENCRYPTED) else None
        message = authoring.write(descriptor, signed, parent_context_id=parent_context_id, encryption=encryption)
        author = world.actor(authoring.author_of(signed))
        sent = None if world.maybe(0.06) else data
        if sent is not None and world.maybe(0.02):
            sent = self.content.blob()[1]
        sound = sound and sent is data and signed.owner is None
        record = Record(tenant, author, [message], signed, data)
        step = world.step("write", tenant, message, sent, made=signed, then=lambda: world.keep(record))
        record.dataless = sent is None
        record.sound = sound and step.tenant == tenant.did
        return step

    # Later writes

    def update(self) -> Step:
        record, signed = self._some_record(), None
        if record is None:
            return self.flat_record()
        if self.world.maybe(0.3):
            found = self.leave.to_one(self._protocol_records(), "Write", {"co-update"})
            record, signed = found or (record, None)
        return self.next_write(record, None if self.world.maybe(0.3) else self.content.blob()[1], signed)

    def next_write(self, record: Record, data: bytes | None, signed: Signed | None = None) -> Step:
        """The record with these data, or with those that it has."""
        world = self.world
        old = record.newest if world.maybe(0.9) else record.first
        first = record.first["descriptor"]
        published = world.one((True, False, old["descriptor"].get("published")))
        time = world.near(old["descriptor"]["messageTimestamp"]) if world.maybe(0.2) else world.now()
        date = old["descriptor"].get("datePublished")
        definition = world.definitions.get((record.tenant.did, record.protocol or ""))
        rules = rules_at(definition, record.path or "") if definition else {}
        if data is not None and record.protocol == PERMISSIONS:
            data = record.data + b" "
        elif data is not None and world.maybe(0.8):
            data = self.content.blob(self.content.fitting_size(rules))[1]
        held = record.data if data is None else data
        tags = self.content.fitting_tags(rules) if world.maybe(0.85) else self.content.tags()
        if record.protocol == PERMISSIONS and world.maybe(0.8):
            tags = first.get("tags")
        descriptor = without_none(
            interface="Records",
            method="Write",
            protocol=first.get("protocol"),
            protocolPath=first.get("protocolPath"),
            recipient=first.get("recipient"),
            schema=first.get("schema"),
            tags=tags,
            parentId=first.get("parentId"),
            dataCid=data_cid(held) if data is not None else old["descriptor"]["dataCid"],
            dataSize=len(held) if data is not None else old["descriptor"]["dataSize"],
            dateCreated=first["dateCreated"],
            messageTimestamp=time,
            published=published,
            datePublished=(date or time) if published else None,
            dataFormat=old["descriptor"]["dataFormat"] if world.maybe(0.9) else world.one(definitions.FORMATS),
        )
        author = record.author if world.maybe(0.75) else world.author(record.tenant)
        own = {"update", "co-update"} if author is record.author else {"co-update"}
        chain = self.leave.chain(record)
        signed = signed or self._write_signed(record.tenant, record.protocol, author, record.path, chain, own)
        message = authoring.write(
            descriptor,
            signed,
            record_id=record.record_id,
            context_id=record.first.get("contextId"),
            encryption=self._next_encryption(old),
        )
        sent = data
        if data is not None and world.maybe(0.03) and len(data) <= 30_000:
            sent = self.content.blob(20)[1]

        def remember() -> None:
            record.writes.append(message)
            if data is not None:
                record.data = world.blobs[descriptor["dataCid"]] = data

        return world.step("update", record.tenant, message, sent, made=signed, then=remember)

    def _next_encryption(self, old: Message) -> Message | None:
        """An update may encrypt what was in the clear, or the other way round."""
        if self.world.maybe(ENCRYPTED):
            return self.encryptions.sound()
        return old.get("encryption") if self.world.maybe(0.8) else None

    def delete(self) -> Step:
        world = self.world
        record = self._some_record()
        if record is None:
            return self.flat_record()
        author = record.author if world.maybe(0.5) else world.author(record.tenant)
        prune = world.maybe(0.35)
        actions = {"co-prune", "prune"} if prune else {"co-delete", "delete"}
        chain = self.leave.chain(record)
        signed = self._record_signed(
            record.tenant, record.protocol, "Delete", author, 0.35, record.path, chain, actions
        )
        if world.maybe(0.4):
            found = self.leave.to_one(self._protocol_records(), "Delete", {min(actions)})
            record, signed = found or (record, signed)
        newest = record.newest
        descriptor: Message = {
            "interface": "Records",
            "method": "Delete",
            "messageTimestamp": world.near(newest["descriptor"]["messageTimestamp"])
            if world.maybe(0.15)
            else world.now(),
            "recordId": record.record_id if world.maybe(0.97) else message_cid(newest),
            "prune": prune,
        }

        def remember() -> None:
            gone = signed.trusted or signed.signer is record.tenant
            record.deleted = record.deleted or gone
            for other in world.at(record.tenant) if gone and prune else ():
                other.deleted = other.deleted or record.record_id in str(other.context_id)

        return world.step("delete", record.tenant, authoring.plain(descriptor, signed), made=signed, then=remember)

    def again(self) -> Step:
        """A message that was sent before, perhaps to another's DWN, with or without its data."""
        world = self.world
        if not world.records:
            return self.flat_record()
        record = world.recent(world.records, 60)
        message = world.one(record.writes)
        data = world.blobs.get(message["descriptor"]["dataCid"]) if world.maybe(0.7) else None
        tenant = record.tenant if world.maybe(0.7) else world.tenant()
        return world.step("again", tenant, message, data)

    def retained(self) -> Step:
        """What somebody wrote elsewhere, kept by the owner of another DWN under an owner's signature."""
        world = self.world
        if not world.records:
            return self.flat_record()
        elsewhere = [grant.record for grant in world.grants]
        record = world.recent(elsewhere if elsewhere and world.maybe(0.4) else world.likely(world.records))
        message = record.first if world.maybe(0.7) else record.newest
        tenant = world.tenant()
        signed = dataclasses.replace(record.signed, **self._owner(tenant, 1.0))
        kept = owned(message, signed)
        return world.step("retained", tenant, kept, world.blobs.get(message["descriptor"]["dataCid"]))

    # Parts

    def _some_record(self) -> Record | None:
        world = self.world
        if not world.records:
            return None
        if world.maybe(0.5):
            tenant = world.tenant()
            inside = [record for record in world.at(tenant) if record.protocol not in (None, PERMISSIONS)]
            if inside:
                return world.recent(world.likely(inside), 40)
        return world.recent(world.likely(world.records), 50)

    def _protocol_records(self) -> list[Record]:
        world = self.world
        inside = [record for record in world.at(world.tenant()) if record.protocol not in (None, PERMISSIONS)]
        return [record for record in inside if record.sound and not record.deleted]

    def _write_signed(
        self,
        tenant: Actor,
        protocol: str | None,
        author: Actor | None = None,
        path: str | None = None,
        chain: list[Record] | None = None,
        actions: set[str] | None = None,
    ) -> Signed:
        signed = self._record_signed(tenant, protocol, "Write", author, 0.4, path, chain, actions)
        if self.world.maybe(0.1):
            signed = dataclasses.replace(signed, attester=self.world.anyone())
        grant = self.leave.owner(tenant, protocol, path) if self.world.maybe(0.1) else None
        if grant is not None:
            return dataclasses.replace(signed, owner=grant.grantee, owner_delegated=grant.message)
        return dataclasses.replace(signed, **self._owner(tenant, 0.05))

    def _record_signed(
        self,
        tenant: Actor,
        protocol: str | None,
        method: str,
        author: Actor | None,
        role_chance: float,
        path: str | None = None,
        chain: list[Record] | None = None,
        actions: set[str] | None = None,
    ) -> Signed:
        world = self.world
        if actions is not None and world.maybe(0.45):
            given = self.leave.given(tenant, method, actions, protocol=protocol, path=path, chain=chain or [])
            if given is not None:
                return given
        author = author or world.author(tenant, 0.85 if protocol is None else 0.45)
        signed = world.signed(tenant, author=author, interface="Records", method=method)
        acting = world.actor(authoring.author_of(signed))
        chance = 0.03 if acting is tenant else role_chance
        return dataclasses.replace(signed, claims={**signed.claims, **world.role(tenant, acting, protocol, chance)})

    def _owner(self, tenant: Actor, chance: float) -> dict[str, Any]:
        world = self.world
        if not world.maybe(chance):
            return {}
        grants = world.usable_grants(delegated=True, grantor=tenant if world.maybe(0.8) else None)
        if grants and world.maybe(0.5):
            grant = world.recent(grants)
            owner = grant.grantee if world.maybe(0.9) else world.anyone()
            return {"owner": owner, "owner_delegated": grant.message}
        return {"owner": tenant if world.maybe(0.85) else world.anyone()}

    def _descriptor(self, *, size: int | None = None, **more: Any) -> tuple[Message, bytes]:
        world = self.world
        cid, data = self.content.blob(size)
        time = world.now()
        published = world.one((True, True, False, None, None))
        more.setdefault("recipient", world.one((world.did(), world.did(), None)))
        if "tags" not in more:
            more["tags"] = self.content.tags()
        return (
            without_none(
                interface="Records",
                method="Write",
                protocol=more.get("protocol"),
                protocolPath=more.get("protocolPath"),
                recipient=more.get("recipient"),
                schema=more.get("schema"),
                tags=more.get("tags"),
                parentId=more.get("parentId"),
                dataCid=cid,
                dataSize=len(data),
                dateCreated=time,
                messageTimestamp=time,
                published=published,
                datePublished=(time if world.maybe(0.7) else world.now()) if published else None,
                dataFormat=more["dataFormat"],
            ),
            data,
        )


def owned(message: Message, signed: Signed) -> Message:
    """The message as it is, with an owner's signature added."""
    made = authoring.sign_write({key: value for key, value in message.items() if key != "authorization"}, signed)
    kept = {key: value for key, value in message["authorization"].items() if not key.startswith("owner")}
    added = {key: value for key, value in made["authorization"].items() if key.startswith("owner")}
    return {**message, "authorization": {**kept, **added}}
