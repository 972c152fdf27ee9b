"""What a node demands of its tenants. The numbers are the invariants of `web5.node.registration`."""

import json
from hashlib import sha256

import httpx
import pytest
from starlette.applications import Starlette

from tests.unit.node.nodes import BASE, Served
from tests.unit.sync.world import TestClock
from web5.cpython.http import HttpxHttp
from web5.crypto.proof_of_work import Challenge, solve
from web5.dwn.store.database import open_memory
from web5.node.registration import CHALLENGE_SECONDS, WANTED_A_MINUTE, Registrations, RegistrationSettings
from web5.node.server import create_app
from web5.remote.registration import Demands, RegistrationClient

DID, OTHER = "did:example:alice", "did:example:bob"
TERMS = "Be kind.\n"
HASH = sha256(TERMS.encode()).hexdigest()


class Desk:
    """The registration of one node, and a client at its desk."""

    def __init__(self, settings: RegistrationSettings, database=None) -> None:
        self.clock = TestClock()
        self.database = database or open_memory()
        self.registrations = Registrations(self.database, settings, self.clock)
        transport = httpx.ASGITransport(Starlette(routes=self.registrations.routes("/dwn")))
        self.http = httpx.AsyncClient(transport=transport, base_url=BASE)

    async def challenge(self) -> Challenge:
        found = (await self.http.get("/dwn/registration/proof-of-work")).json()
        assert len(found["challengeNonce"]) == len(found["maximumAllowedHashValue"]) == 64
        return Challenge(found["challengeNonce"], int(found["maximumAllowedHashValue"], 16))

    async def work(self, challenge: Challenge, did: str = DID, **more: str) -> dict[str, str]:
        asked = json.dumps({"did": did, **more}, separators=(",", ":"))
        nonce = await solve(challenge, asked, lambda hashes: True)
        return {"challengeNonce": challenge.nonce, "responseNonce": nonce or ""}

    async def post(self, work: dict[str, str] | None = None, did: str = DID, **more: str) -> httpx.Response:
        body = {"registrationData": {"did": did, **more}} | ({"proofOfWork": work} if work else {})
        return await self.http.post("/dwn/registration", json=body)

    def ahead(self, seconds: float) -> None:
        self.clock.ahead += int(seconds * 1_000_000)


async def test_1_nothing_demanded_everybody_served() -> None:
    desk = Desk(RegistrationSettings())
    assert await desk.registrations.refusal(DID) is None
    assert desk.registrations.requirements == []
    assert (await desk.post()).status_code == 404


async def test_1_terms_have_to_be_agreed_to() -> None:
    desk = Desk(RegistrationSettings(TERMS))
    assert desk.registrations.requirements == ["terms-of-service"]
    assert (await desk.http.get("/dwn/registration/terms-of-service")).text == TERMS
    assert await desk.registrations.refusal(DID) == "Not a registered tenant."
    refused = await desk.post(termsOfServiceHash="0" * 64)
    assert refused.status_code == 400
    assert refused.json()["code"] == "RegistrationManagerInvalidOrOutdatedTermsOfServiceHash"
    assert await desk.registrations.refusal(DID) == "Not a registered tenant."
    assert (await desk.post(termsOfServiceHash=HASH)).json() == {"success": True}
    assert await desk.registrations.refusal(DID) is None
    assert await desk.registrations.refusal(OTHER) == "Not a registered tenant."


async def test_1_work_has_to_be_done() -> None:
    desk = Desk(RegistrationSettings(hashes=500))
    assert desk.registrations.requirements == ["proof-of-work-sha256-v0"]
    challenge = await desk.challenge()
    assert challenge.hashes == 500
    assert (await desk.post()).json()["code"] == "ProofOfWorkManagerInvalidResponseNonceFormat"
    lazy = {"challengeNonce": challenge.nonce, "responseNonce": "0" * 64}
    assert not challenge.is_met(lazy["responseNonce"], json.dumps({"did": DID}, separators=(",", ":")))
    assert (await desk.post(lazy)).json()["code"] == "ProofOfWorkInsufficientSolutionNonce"
    work = await desk.work(challenge)
    assert (await desk.post(work, did=OTHER)).json()["code"] == "ProofOfWorkInsufficientSolutionNonce"
    assert (await desk.post(work)).status_code == 200
    assert (await desk.post(work)).json()["code"] == "ProofOfWorkManagerResponseNonceReused"
    assert await desk.registrations.refusal(DID) is None


async def test_2_other_terms_have_to_be_agreed_to_anew() -> None:
    before = Desk(RegistrationSettings(TERMS))
    await before.post(termsOfServiceHash=HASH)
    after = Desk(RegistrationSettings("Be kinder."), before.database)
    assert await after.registrations.refusal(DID) == "Agreed terms-of-service is outdated."
    await after.post(termsOfServiceHash=sha256(b"Be kinder.").hexdigest())
    assert await after.registrations.refusal(DID) is None


async def test_3_a_challenge_is_of_use_for_a_while() -> None:
    desk = Desk(RegistrationSettings(hashes=10))
    first = await desk.challenge()
    desk.ahead(CHALLENGE_SECONDS)
    second = await desk.challenge()
    assert second.nonce != first.nonce
    assert (await desk.post(await desk.work(first))).status_code == 200
    desk.ahead(CHALLENGE_SECONDS)
    assert (await desk.post(await desk.work(first))).json()["code"] == "ProofOfWorkManagerInvalidChallengeNonce"
    assert (await desk.post(await desk.work(second))).status_code == 200
    desk.ahead(2 * CHALLENGE_SECONDS)
    assert (await desk.post(await desk.work(second))).json()["code"] == "ProofOfWorkManagerInvalidChallengeNonce"


async def test_work_gets_harder_while_many_come_and_easier_again() -> None:
    desk = Desk(RegistrationSettings(hashes=4))
    for number in range(2 * WANTED_A_MINUTE):
        did = f"did:example:{number}"
        assert (await desk.post(await desk.work(await desk.challenge(), did), did)).status_code == 200
    assert (await desk.challenge()).hashes == 8
    desk.ahead(61)
    assert (await desk.challenge()).hashes == 4


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 10_000,
        b'{"registrationData": {"did": 7}}',
        b'{"registrationData": {"did": "alice"}}',
        b'{"registrationData": {"did": "did:example:alice#key"}}',
        b'{"registrationData": {"did": "did:example:a", "termsOfServiceHash": 7}, "proofOfWork": 7}',
        b'{"registrationData": {"did": "did:example:a"}, "proofOfWork": {"challengeNonce": [], "responseNonce": {}}}',
    ],
)
async def test_a_request_that_makes_no_sense_is_refused(body: bytes) -> None:
    desk = Desk(RegistrationSettings(TERMS, 10))
    response = await desk.http.post("/dwn/registration", content=body)
    assert response.status_code == 400
    assert response.json()["code"]


async def test_a_large_request_is_not_read_to_its_end() -> None:
    desk = Desk(RegistrationSettings(TERMS))
    assert (await desk.http.post("/dwn/registration", content=b" " * 20_000)).status_code == 413


async def test_a_node_serves_only_who_is_registered(tmp_path) -> None:
    registrations = Registrations(open_memory(), RegistrationSettings(TERMS, 100), TestClock())
    served = await Served.start(tmp_path, tenant_gate=registrations)
    transport = httpx.ASGITransport(create_app(served.dwns, registrations={"/dwn0": registrations}))
    assert (await served.write("/dwn0", b"text"))[1] == {"code": 401, "detail": "Not a registered tenant."}

    client, endpoint = RegistrationClient(lambda endpoint: HttpxHttp(transport)), f"{BASE}/dwn0"
    demands = await client.demands(endpoint)
    assert demands.terms and demands.challenge
    assert (demands.terms.text, demands.terms.hash, demands.challenge.hashes) == (TERMS, HASH, 100)
    asked = json.dumps({"did": served.did, "termsOfServiceHash": HASH}, separators=(",", ":"))
    nonce = await solve(demands.challenge, asked, lambda hashes: True)
    await client.register(endpoint, served.did, Demands(demands.terms, demands.challenge), nonce)
    assert (await served.write("/dwn0", b"text"))[1]["code"] == 202
