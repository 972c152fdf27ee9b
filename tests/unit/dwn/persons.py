"""Persons with keys that both engines can resolve, and a clock that goes a millisecond a look."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.clocks import ManualClock
from web5.cpython.crypto import CPythonCrypto
from web5.crypto.jose.jws import MessageSigner, sign
from web5.dids.jwk import DidJwk, create
from web5.dids.key import DidKey
from web5.dids.keys import signer_for
from web5.dids.resolver import UniversalResolver
from web5.dwn import Dwn
from web5.dwn.store.database import open_memory
from web5.dwn.store.memory import MemoryBlobs
from web5.dwn.values.cid import dag_cbor_cid

ENCRYPTION: dict[str, Any] = {
    "algorithm": "A256CTR",
    "initializationVector": "AAAA",
    "keyEncryption": [
        {
            "rootKeyId": "did:example:bob#enc",
            "derivationScheme": "protocolContext",
            "derivedPublicKey": {"kty": "EC", "crv": "secp256k1", "x": "AAAA", "y": "BBBB"},
            "algorithm": "ECIES-ES256K",
            "encryptedKey": "CCCC",
            "initializationVector": "DDDD",
            "ephemeralPublicKey": {"kty": "EC", "crv": "secp256k1", "x": "EEEE", "y": "FFFF"},
            "messageAuthenticationCode": "GGGG",
        }
    ],
}
"""Of a RecordsWrite, as the reference makes it."""


class SteppingClock(ManualClock):
    """A clock that starts on 2024-05-01 and goes one millisecond a look."""

    def __init__(self) -> None:
        super().__init__(1_714_521_600_000_000, step=1000)


@dataclass(frozen=True)
class Person:
    did: str
    signer: MessageSigner


async def person(algorithm: Any = "Ed25519", create: Any = create) -> Person:
    portable = await create(CPythonCrypto(), algorithm)
    return Person(portable.uri, await signer_for(portable, CPythonCrypto()))


def our_dwn(clock: ManualClock, **parts: Any) -> Dwn:
    """An engine that is yet to be opened; in memory, where no part says otherwise."""
    given: dict[str, Any] = {
        "database": open_memory(),
        "blobs": MemoryBlobs(),
        "crypto": CPythonCrypto(),
        "resolver": UniversalResolver([DidJwk(), DidKey()], clock),
        "clock": clock,
    }
    return Dwn(**{**given, **parts})


async def our_engine(clock: SteppingClock) -> Dwn:
    dwn = our_dwn(clock)
    await dwn.open()
    return dwn


async def signed(signer: MessageSigner, message: Mapping[str, Any], **claims: Any) -> dict[str, Any]:
    """The message with a signature over its descriptor as it is, whether or not it makes sense."""
    payload = {"descriptorCid": dag_cbor_cid(message["descriptor"]), **claims}
    text = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
    return {**message, "authorization": {"signature": await sign(text, [signer])}}


async def signed_write(signer: MessageSigner, message: Mapping[str, Any], **claims: Any) -> dict[str, Any]:
    """The same for a RecordsWrite, whose signature is about more."""
    about = {name: message[name] for name in ("recordId", "contextId") if name in message}
    return await signed(signer, message, **about, **claims)


async def encrypted(signer: MessageSigner, write: Mapping[str, Any], encryption: Any = ENCRYPTION) -> dict[str, Any]:
    """The RecordsWrite with an `encryption` that its signature is over."""
    return await signed_write(signer, {**write, "encryption": encryption}, encryptionCid=dag_cbor_cid(encryption))
