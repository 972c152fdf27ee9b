"""Credentials in the worker, with WebCrypto."""

from __future__ import annotations

import json
from typing import Any

from web5.browser.crypto import BrowserCrypto
from web5.browser.network.http import FetchHttp
from web5.dids import jwk
from web5.dids.key import DidKey
from web5.dids.resolver import UniversalResolver
from web5.ports.clock import SystemClock
from web5.ports.crypto import KeyAlgorithm
from web5.vc import CredentialVerifier, VerifiableCredential, credential_signer, sign_credential

ALGORITHMS: tuple[KeyAlgorithm, ...] = ("Ed25519", "secp256k1", "P-256")
DEEP = 100
"""Arrays within one another; in a browser, pydantic's own limit is lower."""


async def verify_and_issue(vc_jwts: str) -> str:
    """Verify credentials, and issue one with a key of each kind; lists of JWTs as JSON."""
    crypto, clock = BrowserCrypto(), SystemClock()
    verifier = CredentialVerifier(UniversalResolver([jwk.DidJwk(), DidKey()]), crypto, clock, FetchHttp())
    for vc_jwt in json.loads(vc_jwts):
        await verifier.verify(vc_jwt)
    deep: list[Any] = []
    for _ in range(DEEP):
        deep = [deep]
    issued = []
    for algorithm in ALGORITHMS:
        issuer = await jwk.create(crypto, algorithm)
        credential = VerifiableCredential.create(issuer=issuer.uri, subject="did:example:alice", data={"deep": deep})
        issued.append(await sign_credential(credential, await credential_signer(issuer, crypto), clock))
        assert await verifier.verify(issued[-1]) == credential
    return json.dumps(issued)
