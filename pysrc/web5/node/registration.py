"""Registration of tenants: terms of service, a proof of work, the code of an invitation.

The first two are as `@web5/dwn-server` demands them; the last is our own.

Invariants:
1. With neither demanded, everybody is served. With either, nobody is who did not meet it, for any message.
2. A tenant who agreed to other terms than those of now is served no more until it agrees to these.
3. A code is looked at before the work and spent after it, so that neither is lost to a mistake in the other. An address
   that sends wrong ones has to wait.
4. A proof of work is of use for the tenant and the terms that it was done for, for `CHALLENGE_SECONDS` to twice that.

Source: `src/registration/registration-manager.ts`, `proof-of-work-manager.ts` and `src/http-api.ts` of
`@web5/dwn-server` 0.6.1. There, a server that demands only one of the two registers nobody: without terms it finds
every agreement outdated, and without a way to ask for a challenge it wants a proof of work nevertheless.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from web5 import strict_json
from web5.crypto.proof_of_work import Challenge, bound_for
from web5.dids.uri import parse_did
from web5.dwn.store.database import Database
from web5.node.dwn.endpoint import read_body
from web5.node.limits import Guesses, address_of
from web5.node.tenants.invitations import InvitationRefused, Invitations
from web5.ports.clock import Clock
from web5.remote.registration import INVITATION_CODE, PROOF_OF_WORK, TERMS_OF_SERVICE

CHALLENGE_SECONDS = 600.0
"""Time for which a challenge is given out; it may be answered for as long again."""

WANTED_A_MINUTE = 10
"""Registrations a minute; twice as many make the work twice as hard, until a minute has passed."""

_MINUTE = 60.0
_LARGEST_REQUEST = 16 * 1024
_NONCE_BYTES = 32
_HEX = frozenset("0123456789abcdefABCDEF")
SCHEMA = (
    """
    CREATE TABLE registered_tenant (
        did TEXT PRIMARY KEY,
        terms_hash TEXT,
        registered INTEGER NOT NULL
    ) WITHOUT ROWID;

    -- Of which challenges are made, so that every process of a node gives the same.
    CREATE TABLE registration_secret (secret BLOB NOT NULL);
    INSERT INTO registration_secret VALUES (randomblob(32));
    """,
)


@dataclass(frozen=True, slots=True)
class RegistrationSettings:
    """The demands of a node on its tenants; by default none.

    Parameters:
        terms: the text of the terms of service to agree to, or None.
        hashes: the hashes that a proof of work takes on average, while not too many come; 0: none is asked for.
    """

    terms: str | None = None
    hashes: int = 0

    @property
    def requirements(self) -> list[str]:
        """The demands as `GET /info` names them."""
        return [
            *([PROOF_OF_WORK] if self.hashes else []),
            *([TERMS_OF_SERVICE] if self.terms is not None else []),
        ]


class Registrations:
    """The registered tenants of a node: its tenant gate, and the routes below `/registration`.

    Parameters:
        invitations: those that tenants are admitted by, where that is demanded; whether they are, `Tenancy` asks.
    """

    def __init__(
        self,
        database: Database,
        settings: RegistrationSettings,
        clock: Clock,
        invitations: Invitations | None = None,
    ) -> None:
        database.check_version({"registrations": SCHEMA})
        database.migrate("registrations", SCHEMA)
        self._demands = settings.requirements
        self.requirements = [*self._demands, *([INVITATION_CODE] if invitations is not None else [])]
        self._invitations = invitations
        self._guesses = Guesses(clock.monotonic)
        self._database = database
        self._clock = clock
        self._terms = settings.terms
        self._terms_hash = None if settings.terms is None else sha256(settings.terms.encode()).hexdigest()
        [(secret,)] = database.connection.execute("SELECT secret FROM registration_secret")
        self._challenges = _Challenges(settings.hashes, clock, secret) if settings.hashes else None

    async def refusal(self, tenant: str) -> str | None:
        """Return why a tenant is not served, in the reference's words; None if it is (`TenantGate`)."""
        if not self._demands:
            return None
        query = "SELECT terms_hash FROM registered_tenant WHERE did = ?"
        connection = self._database.connection
        row = await self._database.read(lambda: connection.execute(query, (tenant,)).fetchone())
        if row is None:
            return "Not a registered tenant."
        if self._terms_hash is not None and row[0] != self._terms_hash:
            return "Agreed terms-of-service is outdated."
        return None

    def routes(self, prefix: str) -> list[BaseRoute]:
        """Return the routes below a path by which the demands are read and met; none if there are none."""
        base = f"{prefix}/registration"
        routes: list[BaseRoute] = [Route(base, self._post, methods=["POST"])] if self.requirements else []
        if PROOF_OF_WORK in self.requirements:
            routes.append(Route(f"{base}/proof-of-work", self._give_challenge, methods=["GET"]))
        if TERMS_OF_SERVICE in self.requirements:
            routes.append(Route(f"{base}/terms-of-service", self._give_terms, methods=["GET"]))
        return routes

    async def _give_challenge(self, request: Request) -> Response:
        assert self._challenges is not None
        challenge = self._challenges.current()
        return JSONResponse(
            {"challengeNonce": challenge.nonce, "maximumAllowedHashValue": f"{challenge.bound:064X}"},
            headers={"cache-control": "no-store"},
        )

    async def _give_terms(self, request: Request) -> Response:
        return PlainTextResponse(self._terms, headers={"cache-control": "no-store"})

    async def _post(self, request: Request) -> Response:
        try:
            asked = await _parsed(request)
            if self._terms_hash is not None and asked.terms_hash != self._terms_hash:
                raise _Refusal(
                    "RegistrationManagerInvalidOrOutdatedTermsOfServiceHash",
                    f"Expecting terms-of-service hash {self._terms_hash}, but got {asked.terms_hash}.",
                )
            await self._check_code(asked, address_of(request.client))
            if self._challenges is not None:
                self._challenges.check(asked)
            await self._register(asked)
        except _Refusal as refusal:
            headers = {"retry-after": str(refusal.seconds)} if refusal.seconds else None
            return JSONResponse({"code": refusal.code, "message": str(refusal)}, refusal.status, headers)
        return JSONResponse({"success": True})

    async def _check_code(self, asked: _Asked, address: str) -> None:
        if self._invitations is None:
            return
        if asked.code and (seconds := self._guesses.wait(address)):
            raise _Refusal("TooManyWrongCodes", f"too many wrong codes; come back in {seconds} s", 429, seconds)
        try:
            await self._invitations.check(asked.code, asked.did)
        except InvitationRefused as refused:
            if refused.is_guess:
                self._guesses.wrong(address)
            raise _Refusal(refused.code, str(refused)) from refused

    async def _register(self, asked: _Asked) -> None:
        row = (asked.did, self._terms_hash, self._clock.now())
        query = (
            "INSERT INTO registered_tenant VALUES (?, ?, ?) ON CONFLICT (did) DO UPDATE"
            " SET terms_hash = excluded.terms_hash, registered = excluded.registered"
        )
        await self._database.commit(lambda: self._database.connection.execute(query, row), of=asked.did)
        if self._invitations is not None:
            try:
                await self._invitations.use(asked.code, asked.did)
            except InvitationRefused as refused:  # somebody else was faster
                raise _Refusal(refused.code, str(refused)) from refused


class _Challenges:
    def __init__(self, hashes: int, clock: Clock, secret: bytes) -> None:
        self._hashes = hashes
        self._clock = clock
        self._secret = secret
        self._solved: dict[str, float] = {}

    def current(self) -> Challenge:
        self._forget()
        return Challenge(self._nonces()[-1], self._bound())

    def check(self, asked: _Asked) -> None:
        """Take a proof of work, once; raises _Refusal if it is none."""
        self._forget()
        nonce = asked.response_nonce
        if nonce in self._solved:
            raise _Refusal("ProofOfWorkManagerResponseNonceReused", f"Not allowed to reused response nonce: {nonce}.")
        if len(nonce) != 2 * _NONCE_BYTES or not _HEX.issuperset(nonce):
            raise _Refusal(
                "ProofOfWorkManagerInvalidResponseNonceFormat",
                f"Response nonce not a HEX string representing a 256 bit value: {nonce[:128]}.",
            )
        if asked.challenge_nonce not in self._nonces():
            shown = asked.challenge_nonce[:128]
            raise _Refusal("ProofOfWorkManagerInvalidChallengeNonce", f"Unknown or expired challenge nonce: {shown}.")
        challenge = Challenge(asked.challenge_nonce, self._bound())
        if not challenge.is_met(nonce, asked.data):
            raise _Refusal(
                "ProofOfWorkInsufficientSolutionNonce",
                f"Insufficient computed hash, needs to be <= {challenge.bound}.",
            )
        self._solved[nonce] = self._clock.monotonic()

    def _nonces(self) -> list[str]:
        """Return the nonces of the last span of time and of this."""
        span = int(self._clock.now() // (CHALLENGE_SECONDS * 1_000_000))
        return [hmac.digest(self._secret, str(one).encode(), "sha256").hex().upper() for one in (span - 1, span)]

    def _forget(self) -> None:
        now = self._clock.monotonic()
        self._solved = {nonce: when for nonce, when in self._solved.items() if now < when + _MINUTE}

    def _bound(self) -> int:
        return bound_for(self._hashes * max(WANTED_A_MINUTE, len(self._solved)) // WANTED_A_MINUTE)


@dataclass(frozen=True, slots=True)
class _Asked:
    did: str
    terms_hash: str | None
    data: str
    """The text that the proof of work covers."""
    challenge_nonce: str
    response_nonce: str
    code: str = ""
    """Of an invitation."""


class _Refusal(Exception):
    def __init__(self, code: str, message: str, status: int = 400, seconds: int = 0) -> None:
        self.code = code
        self.status = status
        self.seconds = seconds
        super().__init__(f"{code}: {message}")


async def _parsed(request: Request) -> _Asked:
    body = await read_body(request, _LARGEST_REQUEST)
    if body is None:
        raise _Refusal("RequestTooLarge", f"a registration has at most {_LARGEST_REQUEST} bytes", 413)
    try:
        asked = strict_json.parse(body.decode())
    except ValueError as error:
        raise _Refusal("RequestMalformed", f"a registration is JSON: {error}") from error
    match asked:
        case {"registrationData": {"did": str(did), **more} as data} if (id := parse_did(did)) and id.uri == did:
            work = asked.get("proofOfWork")
            nonces = work if isinstance(work, dict) else {}
            terms_hash, code = more.get("termsOfServiceHash"), asked.get("invitationCode")
            return _Asked(
                did,
                terms_hash if isinstance(terms_hash, str) else None,
                json.dumps(data, ensure_ascii=False, separators=(",", ":")),
                str(nonces.get("challengeNonce") or ""),
                str(nonces.get("responseNonce") or ""),
                code if isinstance(code, str) else "",
            )
    raise _Refusal("RequestMalformed", "a registration has registrationData with a did")
