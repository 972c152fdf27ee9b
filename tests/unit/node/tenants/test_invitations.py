"""Invitations: whom a code admits. The numbers are the invariants of `web5.node.tenants.invitations`."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from tests.unit.node.nodes import BASE
from tests.unit.sync.world import TestClock
from web5.cpython.http import HttpxHttp
from web5.crypto.proof_of_work import Challenge, solve
from web5.dwn.store.database import open_memory
from web5.node.registration import Registrations, RegistrationSettings
from web5.node.tenants.invitations import Invitations
from web5.node.tenants.registry import Registry, Said
from web5.node.tenants.tenancy import NOT_ADMITTED, Tenancy, TenantRules
from web5.remote.registration import Demands, RegistrationClient, registration_data

DID, OTHER, THIRD = (f"did:example:{name}" for name in ("alice", "bob", "carol"))
DAY = 24 * 60 * 60


class Desk:
    """The registration of a node that takes those who were invited."""

    def __init__(self, settings: RegistrationSettings | None = None) -> None:
        self.clock = TestClock()
        self.database = open_memory()
        self.registry = Registry(self.database)
        self.invitations = Invitations(self.database, self.clock)
        registrations = Registrations(open_memory(), settings or RegistrationSettings(), self.clock, self.invitations)
        self.requirements = registrations.requirements
        self.gate = Tenancy(self.registry, TenantRules("invitation"), registrations)
        transport = httpx.ASGITransport(Starlette(routes=registrations.routes("/dwn")))
        self.http = httpx.AsyncClient(transport=transport, base_url=BASE)
        self.client = RegistrationClient(lambda url: HttpxHttp(transport))

    async def post(self, code: Any = None, did: str = DID) -> httpx.Response:
        body = {"registrationData": {"did": did}} | ({} if code is None else {"invitationCode": code})
        return await self.http.post("/dwn/registration", json=body)

    async def told(self, code: Any = None, did: str = DID) -> str:
        response = await self.post(code, did)
        return "taken" if response.status_code == 200 else f"{response.status_code} {response.json()['code']}"


async def test_2_a_code_admits_as_many_as_it_has_uses() -> None:
    desk = Desk()
    assert desk.requirements == ["invitation-code"]
    assert await desk.gate.refusal(DID) == NOT_ADMITTED
    assert await desk.told() == "400 InvitationCodeMissing"
    code, one = await desk.invitations.make(2, 1)
    assert await desk.told(code.upper().replace("-", " ")) == "taken"
    assert await desk.gate.refusal(DID) is None
    assert desk.registry.said(DID) == Said(admitted=True, invitation=one.id)
    assert await desk.told(code) == await desk.told() == "taken"
    assert [found.used for found in desk.invitations.all()] == [1]
    assert await desk.told(code, OTHER) == "taken"
    assert await desk.told(code, THIRD) == "400 InvitationCodeUsedUp"
    assert await desk.gate.refusal(THIRD) == NOT_ADMITTED


async def test_2_two_who_come_at_once_share_no_use() -> None:
    desk = Desk()
    code, _ = await desk.invitations.make(1)
    told = await asyncio.gather(*(desk.told(code, did) for did in (DID, OTHER, THIRD)))
    assert sorted(told) == ["400 InvitationCodeUsedUp"] * 2 + ["taken"]
    assert [found.used for found in desk.invitations.all()] == [1]


async def test_3_what_has_ended_or_was_revoked_admits_nobody() -> None:
    desk = Desk()
    code, _ = await desk.invitations.make(5, 1)
    other, second = await desk.invitations.make(5)
    assert await desk.told(code) == await desk.told(other, OTHER) == "taken"
    desk.clock.ahead += DAY * 1_000_000
    assert await desk.told(code, THIRD) == "400 InvitationCodeEnded"
    assert await desk.invitations.revoke(second.id)
    assert not await desk.invitations.revoke(second.id)
    assert await desk.told(other, THIRD) == "400 InvitationCodeUnknown"
    assert [await desk.gate.refusal(did) for did in (DID, OTHER)] == [None, None]


async def test_the_operator_can_admit_and_send_away_whoever_came() -> None:
    desk = Desk()
    code, _ = await desk.invitations.make(1)
    await desk.registry.say(OTHER, Said(admitted=True))
    assert await desk.told(None, OTHER) == "taken"
    assert await desk.told(code) == "taken"
    await desk.registry.say(DID, Said())
    assert await desk.gate.refusal(DID) == NOT_ADMITTED


async def test_an_address_that_guesses_has_to_wait() -> None:
    desk = Desk()
    code, _ = await desk.invitations.make(1)
    told = [await desk.told(f"wrong{number}") for number in range(10)]
    assert told == ["400 InvitationCodeUnknown"] * 10
    response = await desk.post(code)
    assert (response.status_code, response.json()["code"]) == (429, "TooManyWrongCodes")
    assert 0 < int(response.headers["retry-after"]) <= 11
    assert [found.used for found in desk.invitations.all()] == [0]
    assert await desk.told(None) == "400 InvitationCodeMissing"
    desk.clock.ahead += int(response.headers["retry-after"]) * 1_000_000
    assert await desk.told(code) == "taken"


@pytest.mark.parametrize("code", [7, ["a"], {"a": 1}, "x" * 10_000, "\0", "ß" * 30])
async def test_odd_codes_admit_nobody(code: Any) -> None:
    desk = Desk()
    await desk.invitations.make(1)
    assert await desk.told(code) in ("400 InvitationCodeUnknown", "400 InvitationCodeMissing")


async def test_a_code_is_not_spent_on_bad_work_nor_work_on_a_bad_code() -> None:
    desk = Desk(RegistrationSettings(hashes=50))
    assert desk.requirements == ["proof-of-work-sha256-v0", "invitation-code"]
    code, _ = await desk.invitations.make(1)
    assert await desk.told("wrong") == "400 InvitationCodeUnknown"
    assert await desk.told(code) == "400 ProofOfWorkManagerInvalidResponseNonceFormat"
    assert [found.used for found in desk.invitations.all()] == [0]
    found = (await desk.http.get("/dwn/registration/proof-of-work")).json()
    challenge = Challenge(found["challengeNonce"], int(found["maximumAllowedHashValue"], 16))
    demands = Demands(challenge=challenge, invitation=True)
    nonce = await solve(challenge, registration_data(DID, None), lambda hashes: True)
    await desk.client.register(f"{BASE}/dwn", DID, demands, nonce, code)
    assert await desk.gate.refusal(DID) is None
