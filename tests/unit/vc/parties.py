"""Issuers and holders, a web with schemas and status lists, and a clock that stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx

from tests.clocks import ManualClock
from web5.cpython.crypto import CPythonCrypto
from web5.cpython.http import HttpxHttp
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.dids.jwk import DidJwk
from web5.dids.key import DidKey
from web5.dids.models import DidDocument, PortableDid, Resolved
from web5.dids.resolver import UniversalResolver
from web5.dids.uri import DidUrl
from web5.errors import DidError
from web5.vc import CredentialVerifier, VerifiableCredential, credential_signer, jwt, sign_credential
from web5.vc.dates import seconds_of

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())
NOW = "2026-12-06T07:08:09Z"

crypto = CPythonCrypto()


class StandingClock(ManualClock):
    """A clock that stands at `NOW`."""

    def __init__(self) -> None:
        super().__init__(seconds_of(NOW) * 1_000_000)


class Known:
    """The DID method "example": whose documents are known is resolved."""

    name = "example"

    def __init__(self) -> None:
        self.documents: dict[str, DidDocument] = {}
        self.metadata: dict[str, Any] = {}

    async def resolve(self, did: DidUrl) -> Resolved:
        if did.uri not in self.documents:
            raise DidError("notFound", f"{did.uri} is not known")
        return Resolved(self.documents[did.uri], self.metadata)


class Web(httpx.AsyncBaseTransport):
    """Pages by their URLs; everything else is not found."""

    def __init__(self) -> None:
        self.pages: dict[str, Any] = {}
        self.asked: list[str] = []
        self.http = HttpxHttp(self)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        page = self.pages.get(str(request.url))
        if isinstance(page, httpx.TransportError):
            raise page
        body = page if isinstance(page, str | bytes) else json.dumps(page)
        return httpx.Response(404 if page is None else 200, content=body)


class World:
    """A verifier, and what it can reach: this web, or the real one over `http`."""

    def __init__(self, http: HttpxHttp | None = None) -> None:
        self.clock = StandingClock()
        self.known = Known()
        self.web = Web()
        resolver = UniversalResolver([DidJwk(), DidKey(), self.known], self.clock)
        self.verifier = CredentialVerifier(resolver, crypto, self.clock, http or self.web.http)

    async def issue(self, issuer: PortableDid, *, key_id: str | None = None, **options: Any) -> str:
        """A signed credential; `options` as for `VerifiableCredential.create`."""
        given = {"subject": "did:example:alice", "data": {"level": "gold"}, **options}
        credential = VerifiableCredential.create(issuer=issuer.uri, clock=self.clock, **given)
        return await sign_credential(credential, await credential_signer(issuer, crypto, key_id), self.clock)


async def sign_claims(issuer: PortableDid, claims: dict[str, Any]) -> str:
    """A JWT with any claims, really signed."""
    return await jwt.sign(claims, await credential_signer(issuer, crypto))


def claims_of(text: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(b64url_decode(text.split(".")[1]))
    return claims


def with_part(text: str, position: int, value: Any) -> str:
    """The JWT with another header (0), payload (1) or signature (2), signed no more."""
    parts = text.split(".")
    parts[position] = b64url_encode(value if isinstance(value, bytes) else json.dumps(value).encode())
    return ".".join(parts)
