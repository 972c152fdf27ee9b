"""Tenants who use two processes on one database at once, and try to see each other's data while they do."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

from tests.contracts.postgres.test_processes import CLOCK, Node
from tests.contracts.postgres.test_processes import nodes as nodes
from tests.unit.dwn.persons import Person, person
from web5.dwn import compose
from web5.dwn.values.cid import message_cid

TENANTS = 6
ROUNDS = 12
LARGE = 300_000
REFUSED = (400, 401, 404)

Held = dict[str, tuple[str, bytes]]
"""The records of a tenant: the CID of the message, and the data, by the ID of the record."""


class Tenant:
    """One who keeps secrets that are alike in all that can be asked for, and looks for those of others."""

    def __init__(self, who: Person, name: str, nodes: tuple[Node, Node]) -> None:
        self.who = who
        self.name = name
        self.secret = f"secret-of-{name}-".encode()
        self.held: Held = {}
        self.sent: set[str] = set()
        self.messages: list[dict[str, Any]] = []
        self.cursors: list[Any] = []
        self.told: list[str] = []
        self._nodes = itertools.cycle(nodes)

    async def ask(self, tenant: str, message: Any, data: bytes | None = None) -> tuple[int, Any]:
        if tenant == self.who.did:
            self.sent.add(message_cid(message))
        reply = await next(self._nodes).send(tenant, message, data)
        return reply["status"]["code"], reply

    async def write(self, round: int) -> None:
        data = self.secret + b"x" * (LARGE if round % 4 == 3 else 10)
        message = await compose.records_write(
            self.who.signer, CLOCK, data=data, data_format="text/plain", schema="http://same", tags={"n": round}
        )
        assert (await self.ask(self.who.did, message, data))[0] == 202
        self.held[message["recordId"]] = message_cid(message), data
        self.messages.append(message)

    async def own(self) -> None:
        """Ask for all of one's own, as everybody does; there is nothing of anybody else in it."""
        query = await compose.records_query(self.who.signer, CLOCK, filter={"schema": "http://same"})
        code, reply = await self.ask(self.who.did, query)
        assert code == 200
        assert {entry["recordId"] for entry in reply["entries"]} <= self.held.keys()
        log = await compose.messages_query(self.who.signer, CLOCK)
        code, reply = await self.ask(self.who.did, log)
        assert code == 200
        assert set(reply["entries"]) <= self.sent
        self.cursors.append(reply.get("cursor"))
        record_id, (_, data) = list(self.held.items())[-1]
        read = await compose.records_read(self.who.signer, CLOCK, filter={"recordId": record_id})
        code, reply = await self.ask(self.who.did, read)
        assert (code, await reply["entry"]["data"].read()) == (200, data)

    async def spy(self, other: Tenant) -> None:
        """Try to have something of another tenant's."""
        record_id, (cid, data) = list(other.held.items())[-1]
        signer, theirs = self.who.signer, other.who.did
        asks = [
            await compose.records_read(signer, CLOCK, filter={"recordId": record_id}),
            await compose.messages_read(signer, CLOCK, message_cid=cid),
            await compose.messages_query(signer, CLOCK, cursor=other.cursors[-1] if other.cursors else None),
            await compose.records_query(signer, CLOCK, filter={"schema": "http://same"}),
            await compose.records_query(signer, CLOCK, filter={"recordId": record_id}),
        ]
        for ask in asks:
            for tenant in (theirs, self.who.did):
                await self._gets_nothing(tenant, ask, other)
        await self._claims(other, data)

    async def _gets_nothing(self, tenant: str, message: Any, other: Tenant) -> None:
        code, reply = await self.ask(tenant, message)
        entries = reply.get("entries")
        assert code in REFUSED or (code == 200 and entries is not None), (code, message["descriptor"])
        assert reply.get("entry", {}).get("data") is None
        shown = json.dumps(entries or reply.get("entry"), default=str)
        for record_id, (cid, _) in other.held.items():
            assert cid not in shown
            assert record_id not in shown

    async def _claims(self, other: Tenant, data: bytes) -> None:
        """Write that one has data that another has, without having them."""
        theirs = other.messages[-1]["descriptor"]
        message = await compose.records_write(
            self.who.signer,
            CLOCK,
            data_cid=theirs["dataCid"],
            data_size=theirs["dataSize"],
            data_format="text/plain",
            schema="http://claimed",
        )
        await self.ask(self.who.did, message)
        read = await compose.records_read(self.who.signer, CLOCK, filter={"recordId": message["recordId"]})
        code, reply = await self.ask(self.who.did, read)
        assert code == 404, reply
        changed = await compose.records_write(
            self.who.signer, CLOCK, existing=self.messages[-1], data_cid=theirs["dataCid"], data_size=theirs["dataSize"]
        )
        code, _ = await self.ask(self.who.did, changed)
        assert code in REFUSED
        # The message of another, with or without the data, is nobody's here.
        for given in (None, data):
            reply = await next(self._nodes).send(self.who.did, other.messages[-1], given)
            assert reply["status"]["code"] in REFUSED


async def test_nobody_gets_anything_of_anybody_else(nodes: tuple[Node, Node]) -> None:
    tenants = [Tenant(await person(), f"{number}", nodes) for number in range(TENANTS)]
    for number, one in enumerate(tenants):
        await one.write(0)
        await nodes[number % 2].follow(one.who, one.told)

    async def live(number: int, one: Tenant) -> None:
        for round in range(1, ROUNDS):
            await one.write(round)
            await one.own()
            await one.spy(tenants[(number + 1 + round % (TENANTS - 1)) % TENANTS])

    await asyncio.gather(*(live(number, one) for number, one in enumerate(tenants)))
    for one in tenants:
        assert set(one.told) <= one.sent
