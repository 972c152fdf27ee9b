"""Seeded streams of messages, good and bad, for two engines that must answer alike.

A seed gives the same stream every time, but for the keys of the persons. The stream goes on from what was sent, not
from what was accepted, so that messages about things that are not there come by themselves.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.unit.dwn.persons import Person, SteppingClock, signed, signed_write

from web5.dwn import compose
from web5.dwn.cid import dag_cbor_cid, message_cid
from web5.dwn.timestamps import format_timestamp, parse_timestamp

Message = dict[str, Any]

SCHEMAS = ("https://schema.org/Note", "https://schema.org/Task", "urn:thing")
FORMATS = ("text/plain", "application/json")
# Not 0: the reference files a message with empty data under the CID of another (`encodedData: ""` goes into it).
SIZES = (1, 20, 20, 100, 2000, 30_000, 30_001, 40_000)
LABELS = ("", "a", "ab", "abc", "b", "ä", "a\U0001f600", "a\uffee", "Z")
NUMBERS = (-5, 0, 1, 1.5, 2, 10, 1e21)
SORTS = ("createdAscending", "createdDescending", "publishedAscending", "publishedDescending", None)


@dataclass
class Step:
    """One message for both engines.

    Parameters:
        theirs: what the reference gets instead, where a cursor of its own must stand in the message.
    """

    what: str
    tenant: str
    message: Any
    data: bytes | None = None
    theirs: Any = None
    query: Message | None = None


class Scenario:
    def __init__(self, seed: int, persons: list[Person], clock: SteppingClock) -> None:
        self.rng = random.Random(seed)
        self.persons = persons
        self.tenant, *self.others = persons
        self.clock = clock
        self.writes: list[Message] = []
        self.data: dict[str, bytes] = {}
        self.cids: list[str] = []
        self.pages: list[tuple[Message, Message]] = []
        self.log_cursors: tuple[Any, Any] | None = None
        self.kinds: list[tuple[int, Callable[[], Awaitable[Step]]]] = [
            (14, self.new_record),
            (14, self.update),
            (4, self.again),
            (6, self.delete),
            (16, self.query),
            (5, self.next_page),
            (8, self.read),
            (5, self.messages_query),
            (5, self.messages_read),
            (12, self.bad_message),
            (6, self.bad_signature),
            (10, self.bad_write),
        ]

    async def step(self) -> Step:
        weights, makers = zip(*self.kinds, strict=True)
        (maker,) = self.rng.choices(makers, weights)
        step = await maker()
        if isinstance(step.message, dict) and step.what in ("new", "update", "delete"):
            self.cids.append(message_cid(step.message))
        return step

    def saw(self, step: Step, ours: Message, theirs: Message) -> None:
        """Remember the cursors of a step's replies."""
        if step.what == "log" and "cursor" in ours and "cursor" in theirs:
            self.log_cursors = ours["cursor"], theirs["cursor"]
        if step.query is not None and "cursor" in ours:
            self.pages.append((step.query, ours["cursor"]))

    # Good messages

    def maybe(self, chance: float) -> bool:
        return self.rng.random() < chance

    def blob(self) -> bytes:
        return self.rng.randbytes(self.rng.choice(SIZES))

    def tags(self) -> Message | None:
        tags = {
            "label": self.rng.choice(LABELS),
            "count": self.rng.choice(NUMBERS),
            "flag": self.maybe(0.5),
            "labels": self.rng.sample(LABELS, self.rng.randrange(1, 4)),
            "counts": self.rng.sample(NUMBERS, self.rng.randrange(1, 4)),
        }
        kept = {name: value for name, value in tags.items() if self.maybe(0.4)}
        return kept or None

    def author(self) -> Person:
        return self.tenant if self.maybe(0.85) else self.rng.choice(self.others)

    def place(self) -> str:
        return self.tenant.did if self.maybe(0.93) else self.rng.choice(self.others).did

    async def new_record(self) -> Step:
        data = self.blob()
        write = await compose.records_write(
            self.author().signer,
            self.clock,
            data=data,
            data_format=self.rng.choice(FORMATS),
            schema=self.rng.choice((*SCHEMAS, None)),
            recipient=self.rng.choice((*(person.did for person in self.persons), None, None)),
            published=self.rng.choice((True, True, False, None, None)),
            tags=self.tags(),
            attestation_signers=[self.rng.choice(self.persons).signer] if self.maybe(0.2) else [],
        )
        if self.maybe(0.15):
            self.clock.us -= 1000 * self.rng.randrange(1, 3)
        if write["authorization"] and self.maybe(0.1):
            owner = await signed(self.tenant.signer, {"descriptor": write["descriptor"]})
            write["authorization"]["ownerSignature"] = owner["authorization"]["signature"]
        self.writes.append(write)
        self.data[write["descriptor"]["dataCid"]] = data
        sent = None if self.maybe(0.1) else data
        if sent is not None and self.maybe(0.05):
            sent = self.blob()
        return Step("new", self.place(), write, sent)

    async def update(self) -> Step:
        if not self.writes:
            return await self.new_record()
        old = self.rng.choice(self.writes[-25:])
        data = None if self.maybe(0.35) else self.blob()
        update = await compose.records_write(
            self.author().signer,
            self.clock,
            existing=old,
            data=data,
            tags=self.tags(),
            published=self.rng.choice((True, False, None, None)),
            data_format=self.rng.choice((*FORMATS, None)),
            message_timestamp=self.near(old) if self.maybe(0.25) else None,
        )
        self.writes.append(update)
        if data is None:
            return Step("update", self.place(), update)
        self.data[update["descriptor"]["dataCid"]] = data
        if self.maybe(0.05) and len(data) <= 30_000:
            data = self.blob()
        return Step("update", self.place(), update, data)

    def near(self, old: Message) -> str:
        moved = self.rng.choice((-1000, 0, 0, 0, 1))
        return format_timestamp(parse_timestamp(old["descriptor"]["messageTimestamp"]) + moved)

    async def again(self) -> Step:
        if not self.writes:
            return await self.new_record()
        write = self.rng.choice(self.writes)
        data = self.data.get(write["descriptor"]["dataCid"]) if self.maybe(0.7) else None
        return Step("again", self.place(), write, data)

    async def delete(self) -> Step:
        if not self.writes:
            return await self.new_record()
        old = self.rng.choice(self.writes[-40:])
        delete = await compose.records_delete(
            self.author().signer,
            self.clock,
            record_id=old["recordId"] if self.maybe(0.95) else message_cid(old),
            prune=self.maybe(0.3),
            message_timestamp=self.near(old) if self.maybe(0.2) else None,
        )
        return Step("delete", self.place(), delete)

    # Good questions

    def filter(self, size: int) -> Message:
        known = self.rng.choice(self.writes) if self.writes else None
        descriptor = known["descriptor"] if known else {}
        dids = [person.did for person in self.persons]
        makers: dict[str, Callable[[], Any]] = {
            "schema": lambda: self.rng.choice(SCHEMAS),
            "author": lambda: self.some(dids),
            "recipient": lambda: self.some(dids),
            "attester": lambda: self.rng.choice(dids),
            "recordId": lambda: known["recordId"] if known else "bafyreinone",
            "parentId": lambda: known["recordId"] if known else "bafyreinone",
            "contextId": lambda: known["recordId"] if known else "",
            "protocolPath": lambda: "post",
            "published": lambda: self.maybe(0.5),
            "dataFormat": lambda: self.rng.choice(FORMATS),
            "dataCid": lambda: descriptor.get("dataCid", "bafkreinone"),
            "dataSize": lambda: self.range((0, 1, 20, 99.5, 30_000, 40_000)),
            "dateCreated": lambda: self.span(),
            "dateUpdated": lambda: self.span(),
            "datePublished": lambda: self.span(),
            "tags": lambda: self.tag_filter(),
        }
        weights = [6, 4, 4, 2, 1, 0.3, 0.3, 0.3, 4, 4, 1, 4, 3, 3, 3, 5]
        names = set(self.rng.choices(list(makers), weights, k=size))
        made = {name: makers[name]() for name in makers if name in names}
        if "datePublished" in made and made.get("published") is False:
            del made["published"]
        return made

    def some(self, values: list[str]) -> Any:
        return self.rng.choice(values) if self.maybe(0.5) else self.rng.sample(values, self.rng.randrange(3))

    def range(self, values: tuple[Any, ...]) -> Message:
        low, high = self.rng.choice(("gt", "gte", None)), self.rng.choice(("lt", "lte"))
        bounds = sorted(self.rng.sample(values, 2))
        return {high: bounds[1]} if low is None else {low: bounds[0], high: bounds[1]}

    def span(self) -> Message:
        start = self.clock.us - self.rng.randrange(1, 300_000)
        span = {"from": format_timestamp(start), "to": format_timestamp(start + self.rng.randrange(1, 200_000))}
        drop = self.rng.choice(("from", "to", None))
        return {name: value for name, value in span.items() if name != drop}

    def tag_filter(self) -> Message:
        name = self.rng.choice(("label", "labels", "count", "counts", "flag", "none"))
        if name == "flag":
            return {name: self.maybe(0.5)}
        if name.startswith("count"):
            return {name: self.rng.choice(NUMBERS) if self.maybe(0.4) else self.range(NUMBERS)}
        way = self.rng.randrange(3)
        if way == 0:
            return {name: self.rng.choice(LABELS)}
        return {name: {"startsWith": self.rng.choice(LABELS)} if way == 1 else self.range(LABELS)}

    async def query(self) -> Step:
        signer = self.rng.choice((self.tenant.signer,) * 4 + (self.others[0].signer, None))
        filter = self.filter(self.rng.choice((1, 1, 2, 2, 3, 4)))
        # Sorted by publication, the reference shows others nothing at all if one match is not published.
        sorts = SORTS if signer in (self.tenant.signer, None) else (*SORTS[:2], None)
        sort = self.rng.choice(sorts)
        if filter.get("published") is False and sort and sort.startswith("published"):
            sort = None
        parts = {"filter": filter, "date_sort": sort, "signer": signer}
        pagination = {"limit": self.rng.choice((1, 2, 3, 5, 1000))} if self.maybe(0.6) else None
        message = await compose.records_query(signer, self.clock, filter=filter, date_sort=sort, pagination=pagination)
        return Step("query", self.place(), message, query=parts)

    async def next_page(self) -> Step:
        if not self.pages:
            return await self.query()
        parts, cursor = self.rng.choice(self.pages[-5:])
        pagination = {"cursor": cursor} | ({"limit": self.rng.choice((1, 2, 3))} if self.maybe(0.8) else {})
        message = await compose.records_query(
            parts["signer"],
            self.clock,
            filter=parts["filter"],
            date_sort=parts["date_sort"],
            pagination=pagination,
        )
        return Step("query", self.tenant.did, message, query=parts)

    async def read(self) -> Step:
        signer = self.rng.choice((self.tenant.signer,) * 3 + (self.others[0].signer, None))
        if self.writes and self.maybe(0.7):
            filter = {"recordId": self.rng.choice(self.writes[-40:])["recordId"]}
        else:
            filter = self.filter(self.rng.choice((2, 3, 4)))
        return Step("read", self.place(), await compose.records_read(signer, self.clock, filter=filter))

    async def messages_query(self) -> Step:
        signer = self.author().signer
        filters = [self.messages_filter() for _ in range(self.rng.choice((0, 0, 1, 1, 2)))]
        ours, theirs = self.log_cursors if self.log_cursors and self.maybe(0.6) else (None, None)
        message = await compose.messages_query(signer, self.clock, filters=filters, cursor=ours)
        other = await compose.messages_query(signer, self.clock, filters=filters, cursor=theirs)
        return Step("log", self.place(), message, theirs=other)

    def messages_filter(self) -> Message:
        filter = {
            "interface": self.rng.choice(("Records", "Records", "Protocols")),
            "method": self.rng.choice(("Write", "Write", "Delete", "Configure")),
            "messageTimestamp": self.span(),
            "protocol": "https://example.com/none",
        }
        name = self.rng.choice(("interface", "method", "messageTimestamp"))
        return {key: value for key, value in filter.items() if key == name or self.maybe(0.15)}

    async def messages_read(self) -> Step:
        cid = self.rng.choice(self.cids) if self.cids else dag_cbor_cid({})
        cid = self.rng.choice(
            (cid,) * 12 + ("", "nonsense", "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku")
        )
        message = await compose.messages_read(self.author().signer, self.clock, message_cid=cid)
        return Step("message", self.place(), message)

    # Bad messages

    async def any_message(self) -> Step:
        maker = self.rng.choice(
            (self.new_record, self.update, self.delete, self.query, self.read, self.messages_query, self.messages_read)
        )
        step = await maker()
        step.message, step.theirs = copy.deepcopy(step.message), None
        return step

    async def bad_message(self) -> Step:
        """One change anywhere in a good message; half of the time the descriptor is signed again."""
        step = await self.any_message()
        if step.what == "log":
            step.message["descriptor"].pop("cursor", None)
        message = step.message
        holder = self.rng.choice(list(_objects(message)))
        way = self.rng.randrange(4)
        if way == 0 or not holder:
            holder["unknown"] = self.rng.choice((1, "x", None, {}))
        else:
            name = self.rng.choice(list(holder))
            if way == 1:
                del holder[name]
            else:
                holder[name] = self.rng.choice(
                    (None, True, 7, -1.5, "", "x", [], ["x"], {}, {"x": 1}, "did:a:b", "urn:x")
                )
        if "descriptor" in message and self.maybe(0.6):
            message = await self.resigned(message)
        return Step(f"bad {step.what}", step.tenant, message, step.data)

    async def resigned(self, message: Message) -> Message:
        authorization = message.get("authorization")
        if not isinstance(authorization, dict) or "signature" not in authorization:
            return message
        if not isinstance(message.get("descriptor"), dict):
            return message
        again = await signed_write(self.tenant.signer, message) if "recordId" in message else None
        again = again or await signed(self.tenant.signer, message)
        return {**message, "authorization": {**authorization, **again["authorization"]}}

    async def bad_signature(self) -> Step:
        step = await self.any_message()
        if step.what == "log":
            step.message["descriptor"].pop("cursor", None)
            step.message = await self.resigned(step.message)
        message = step.message
        jws = message.get("authorization", {}).get("signature")
        if jws is None:
            return Step("unsigned", step.tenant, message, step.data)
        entry = jws["signatures"][0]
        way = self.rng.randrange(8)
        if way == 0:
            entry["signature"] = entry["signature"][:-8] + self.rng.choice(
                ("AAAAAAAA", "AAAA", "A", "", "AAAAAAA", "==")
            )
        elif way == 1:
            jws["signatures"].append(dict(entry))
        elif way == 2:
            other = await signed(self.others[0].signer, message)
            entry["signature"] = other["authorization"]["signature"]["signatures"][0]["signature"]
        elif way == 3:
            jws["payload"] = self.rng.choice(("e30", "W10", "bnVsbA", "MQ", "x", "AAAA", "eyJkZXNjcmlwdG9yQ2lkIjoxfQ"))
        elif way == 4:
            entry["protected"] = self.rng.choice(
                ("e30", "W10", "bnVsbA", "MQ", "x", "AAAA", "eyJraWQiOjF9", "eyJraWQiOiJ4In0")
            )
        elif way == 5:
            message["authorization"] = (await signed(self.tenant.signer, message, x=1))["authorization"]
        elif way == 6:
            claim = self.rng.choice(("delegatedGrantId", "permissionGrantId", "protocolRole"))
            extra = {claim: self.rng.choice(("x", "", 1))}
            maker = signed_write if "recordId" in message else signed
            signer = self.rng.choice((self.tenant, self.others[0])).signer
            message["authorization"] = (await maker(signer, message, **extra))["authorization"]
        else:
            message.pop("authorization")
        return Step(f"forged {step.what}", step.tenant, message, step.data)

    async def bad_write(self) -> Step:
        """A write whose parts do not fit together, signed as it is."""
        step = await (self.new_record() if self.maybe(0.5) else self.update())
        if step.what == "update" and step.data is not None and len(step.data) > 30_000:
            # The reference loses the record's data when new large data under its CID proves wrong.
            step = await self.new_record()
        write = copy.deepcopy(step.message)
        descriptor = write["descriptor"]
        changes: list[Callable[[], Any]] = [
            lambda: descriptor.update(messageTimestamp=format_timestamp(self.clock.now())),
            lambda: descriptor.update(dateCreated=format_timestamp(self.clock.now())),
            lambda: descriptor.update(messageTimestamp="2024-02-30T00:00:00.000000Z"),
            lambda: descriptor.update(datePublished="2024-13-01T00:00:00.000000Z", published=True),
            lambda: descriptor.update(datePublished=format_timestamp(self.clock.us)),
            lambda: descriptor.update(published=True),
            lambda: descriptor.update(
                schema=self.rng.choice(("Schema.org/", "http://a.b/c?d", "http://A.b", "http://"))
            ),
            lambda: descriptor.update(recipient=self.rng.choice((self.others[0].did, "did:x", "bob"))),
            lambda: descriptor.update(dataSize=self.rng.choice((descriptor["dataSize"] + 1, 0, -1, 0.5, 50_000))),
            lambda: descriptor.update(dataCid=self.rng.choice(list(self.data))),
            lambda: descriptor.update(protocol="https://example.com/p", protocolPath="post"),
            lambda: descriptor.update(parentId="x"),
            lambda: write.update(contextId=self.rng.choice((write["recordId"], "a/b", "a b"))),
            lambda: write.update(recordId=self.rng.choice((self.rng.choice(self.writes)["recordId"], "x"))),
            lambda: write.update(recordId=dag_cbor_cid({**descriptor, "author": self.tenant.did})),
            lambda: descriptor.update(tags=self.rng.choice(({}, {"a": []}, {"a": ["x", 1]}, {"a": None}, {"a": {}}))),
            lambda: write.update(attestation=write["authorization"]["signature"]),
            lambda: write.update(encodedData="AAAA"),
        ]
        self.rng.choice(changes)()
        if self.maybe(0.3):
            write["recordId"] = dag_cbor_cid({**descriptor, "author": self.tenant.did})
        if "protocol" in descriptor and self.maybe(0.7):
            write["contextId"] = write["recordId"]
        claims = {}
        if "attestation" in write and self.maybe(0.5):
            claims["attestationCid"] = dag_cbor_cid(self.rng.choice((write["attestation"], {})))
        if self.maybe(0.05):
            claims["encryptionCid"] = "x"
        return Step("odd write", step.tenant, await signed_write(self.tenant.signer, write, **claims), step.data)


def _objects(value: Any) -> list[Message]:
    if isinstance(value, dict):
        return [value] + [found for item in value.values() for found in _objects(item)]
    return [found for item in value for found in _objects(item)] if isinstance(value, list) else []
