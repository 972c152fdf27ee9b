"""Makers of RecordsWrites whose parts do not fit together, signed as they are, and of grants that are not genuine."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable
from typing import Any

from tests.interop.engine.streams import authoring
from tests.interop.engine.streams.cast import compact, jws
from tests.interop.engine.streams.step import Message, Signed, Step
from tests.interop.engine.streams.world import DAY, World
from tests.interop.engine.streams.writes import Writes
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.dwn.values.cid import dag_cbor_cid, data_cid


class OddWrites:
    def __init__(self, world: World, writes: Writes) -> None:
        self.world = world
        self._writes = writes

    def odd(self) -> Step:
        """A write with one or two properties that do not go with the others."""
        world, writes = self.world, self._writes
        step = world.one((writes.flat_record, writes.protocol_record, writes.update, writes.update))()
        if step.message["descriptor"]["method"] != "Write" or step.made is None:
            return step
        if step.data is not None and len(step.data) > 30_000:
            # New large data that prove wrong would cost the reference the record's own data.
            step.data = None
        signed, write = step.made, copy.deepcopy(step.message)
        write.pop("authorization")
        for _ in range(world.one((1, 1, 2))):
            world.one(self._changes(write, signed))()
        if world.maybe(0.5):
            write["recordId"] = authoring.entry_id(authoring.author_of(signed), write["descriptor"])
            if "contextId" in write and world.maybe(0.8):
                above = str(write["contextId"]).rpartition("/")[0]
                write["contextId"] = f"{above}/{write['recordId']}" if above else write["recordId"]
        return self._made(step, authoring.sign_write(write, self._odd_claims(write, signed)))

    def moved(self) -> Step:
        """An update, by the tenant as a rule, that changes what may not change."""
        world, writes = self.world, self._writes
        known = [record for record in world.likely(world.records) if record.tenant is world.owner]
        if not known:
            return self.odd()
        record = world.recent(known)
        signer = Signed(record.author if world.maybe(0.3) else record.tenant)
        step = writes.next_write(record, None if world.maybe(0.5) else world.rng.randbytes(20), signer)
        write = copy.deepcopy(step.message)
        descriptor = write["descriptor"]
        changes: list[Callable[[], Any]] = [
            lambda: descriptor.update(dateCreated=world.now()),
            lambda: descriptor.update(schema="urn:moved"),
            lambda: descriptor.pop("schema", None),
            lambda: descriptor.update(recipient=world.did()),
            lambda: descriptor.pop("recipient", None),
            lambda: descriptor.pop("parentId", None),
        ]
        world.one(changes)()
        return self._made(step, authoring.sign_write(write, signer))

    def odd_encryption(self) -> Step:
        """A write whose `encryption` is broken, or is not the one that was signed."""
        world, writes = self.world, self._writes
        step = world.one((writes.flat_record, writes.protocol_record, writes.update))()
        if step.message["descriptor"]["method"] != "Write" or step.made is None:
            return step
        write = {name: value for name, value in step.message.items() if name != "authorization"}
        way = world.rng.randrange(8)
        if way == 0:
            message = {**step.message, "encryption": writes.encryptions.sound()}
        elif way == 1:
            message = {name: value for name, value in step.message.items() if name != "encryption"}
        elif way == 2:
            signed = dataclasses.replace(step.made, claims={**step.made.claims, "encryptionCid": dag_cbor_cid({})})
            message = authoring.sign_write({**write, "encryption": writes.encryptions.sound()}, signed)
        else:
            message = authoring.sign_write({**write, "encryption": writes.encryptions.broken()}, step.made)
        return self._made(step, message)

    def dataless_update(self) -> Step:
        """The next state of a record whose data never came, as a rule."""
        world = self.world
        without = [record for record in world.records if record.dataless]
        if not without:
            return self.odd()
        return self._writes.next_write(world.recent(without), None if world.maybe(0.7) else world.rng.randbytes(20))

    def bad_delegate(self) -> Step:
        """A write under a grant that was not given so, or not given by whom it says."""
        world, writes = self.world, self._writes
        grants = [grant for grant in world.grants if grant.scope["interface"] == "Records"]
        if not grants:
            return self.odd()
        grant = world.recent(grants)
        message = self._not_genuine(copy.deepcopy(grant.message))
        step = world.one((writes.flat_record, writes.protocol_record, writes.update))()
        if step.made is None:
            return step
        as_owner = world.maybe(0.4)
        if as_owner:
            signed = dataclasses.replace(step.made, owner=grant.grantee, owner_delegated=message)
        else:
            signed = dataclasses.replace(step.made, signer=grant.grantee, delegated=message)
        bare = {name: value for name, value in step.message.items() if name != "authorization"}
        return self._made(step, authoring.sign_write(bare, signed))

    def _not_genuine(self, grant: Message) -> Message:
        world = self.world
        says = json.loads(b64url_decode(grant["encodedData"]))
        ways: list[Callable[[], Any]] = [
            lambda: None,
            # More rights than were granted are in test_differences: the reference gives them.
            lambda: grant.update(encodedData=_encoded({**says, "dateExpires": world.later(-DAY)})),
            lambda: grant.update(encodedData=_encoded({**says, "delegated": world.one((False, "yes"))})),
            lambda: grant.update(encodedData=world.one(("AAAA", "", "x", "e30", "W10", "bnVsbA"))),
            lambda: grant["descriptor"].update(recipient=world.did()),
            lambda: grant["authorization"]["signature"].update(self._signature_by(grant, forged=True)),
            lambda: grant["authorization"]["signature"].update(self._signature_by(grant, forged=False)),
            lambda: grant["descriptor"].update(protocolPath="request"),
            lambda: grant.update(contextId="x"),
        ]
        world.one(ways)()
        return grant

    def _signature_by(self, grant: Message, *, forged: bool) -> Message:
        """Somebody's signature over the grant, or one that only says to be the grantor's."""
        payload: str = grant["authorization"]["signature"]["payload"]
        entry = self.world.anyone().signature(payload)
        if forged:
            entry = {**grant["authorization"]["signature"]["signatures"][0], "signature": entry["signature"]}
        return {"payload": payload, "signatures": [entry]}

    def _made(self, step: Step, message: Message) -> Step:
        step.message, step.what = message, f"odd {step.what}"
        step.made, step.then = None, lambda: None
        return step

    def _changes(self, write: Message, signed: Signed) -> list[Callable[[], Any]]:
        world, writes, descriptor = self.world, self._writes, write["descriptor"]
        known = world.recent(world.records) if world.records else None
        attestations = (
            jws({"descriptorCid": dag_cbor_cid(descriptor)}, [world.anyone(), world.anyone()]),
            jws({"descriptorCid": dag_cbor_cid(descriptor), "more": 1}, [world.anyone()]),
            jws({"descriptorCid": dag_cbor_cid({})}, [world.anyone()]),
            jws({}, [world.anyone()]),
            jws([], [world.anyone()]),
            jws({"descriptorCid": dag_cbor_cid(descriptor)}, []),
        )
        return [
            lambda: descriptor.update(messageTimestamp=world.now()),
            lambda: descriptor.update(dateCreated=world.now()),
            lambda: descriptor.update(messageTimestamp="2024-02-30T00:00:00.000000Z"),
            lambda: descriptor.update(datePublished="2024-13-01T00:00:00.000000Z", published=True),
            lambda: descriptor.update(datePublished=world.now()),
            lambda: descriptor.update(published=True),
            lambda: descriptor.pop("published", None),
            lambda: descriptor.update(
                schema=world.one(("Schema.org/", "http://a.b/c?d", "http://A.b", "http://", "urn:y"))
            ),
            lambda: descriptor.update(recipient=world.one((world.did(), "did:x", "bob"))),
            lambda: descriptor.update(
                dataSize=world.one((descriptor["dataSize"] + 1, descriptor["dataSize"] - 1, 0, -1, 0.5, 50_000))
            ),
            lambda: descriptor.update(dataCid=world.one((*world.blobs, data_cid(b"other")))),
            lambda: descriptor.update(
                protocol=world.one(("Example.com/p", "https://example.com/none", "http://", "::"))
            ),
            lambda: descriptor.update(protocolPath=world.one(("post", "thread", "a/b", "a//b", "/a", "a1", "$a", ""))),
            lambda: descriptor.pop("protocolPath", None),
            lambda: descriptor.update(parentId=known.record_id if known else "x"),
            lambda: descriptor.pop("parentId", None),
            lambda: write.update(contextId=world.one((write["recordId"], "a/b", "a b", "", "/a"))),
            lambda: write.pop("contextId", None),
            lambda: write.update(recordId=known.record_id if known else "x"),
            lambda: descriptor.update(tags=world.one(({}, {"a": []}, {"a": ["x", 1]}, {"a": None}, {"a": {}}))),
            lambda: descriptor.update(tags={str(name): name for name in range(world.one((10, 11)))}),
            lambda: write.update(attestation=world.one(attestations)),
            lambda: write.update(encryption=writes.encryptions.broken()),
            lambda: write.pop("encryption", None),
            lambda: write.update(encodedData="AAAA"),
        ]

    def _odd_claims(self, write: Message, signed: Signed) -> Signed:
        world = self.world
        if not world.maybe(0.15):
            return signed
        name = world.one(("attestationCid", "encryptionCid", "recordId", "contextId"))
        value = world.one((dag_cbor_cid({}), "x", write["recordId"]))
        return dataclasses.replace(signed, claims={**signed.claims, name: value})


def _encoded(says: Message) -> str:
    return b64url_encode(compact(says))
