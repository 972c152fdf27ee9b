"""Encrypted records for tests, made without the API."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Mapping, Sequence
from typing import Any

from tests.unit.dwn.persons import SteppingClock, person
from web5.api.records.data import chunked
from web5.cpython.crypto import CPythonCrypto
from web5.crypto.jose.jwk import public_jwk
from web5.crypto.jose.jws import MessageSigner
from web5.dwn import compose
from web5.dwn.encryption.content import ContentKey, Target, encryption_property, wrapped
from web5.dwn.encryption.derivation import RootKey, Scheme, path_for

CRYPTO = CPythonCrypto()
DEFINITION: dict[str, Any] = {
    "protocol": "http://notes.example",
    "published": True,
    "types": {"note": {"dataFormats": ["text/plain"]}, "remark": {}, "scribble": {}},
    "structure": {
        "note": {"remark": {"remark": {}}, "$actions": [{"who": "anyone", "can": ["create"]}]},
        "scribble": {},
    },
}


async def root_of(key_id: str) -> RootKey:
    return RootKey(key_id, os.urandom(32))


async def collected(chunks: AsyncIterable[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


async def sealed_write(
    root: RootKey,
    place: Mapping[str, Any],
    schemes: Sequence[Scheme],
    data: bytes,
    *others: Target,
    signer: MessageSigner | None = None,
) -> tuple[dict[str, Any], bytes]:
    """A RecordsWrite whose content key is wrapped for the root's key of each scheme, and for the others; and its data.

    Parameters:
        place: properties of the descriptor, by their wire names.
        signer: the author; by default somebody.
    """
    content = ContentKey.new()

    async def encryption(message: Mapping[str, Any]) -> dict[str, Any]:
        keys = [root.derive(scheme, path_for(scheme, message)) for scheme in schemes]
        own = [
            Target(key.root_key_id, key.scheme, public_jwk(await key.jwk(CRYPTO)), key.scheme == "protocolContext")
            for key in keys
        ]
        return encryption_property(content, [await wrapped(CRYPTO, content, target) for target in (*own, *others)])

    ciphertext = await collected(content.crypt(CRYPTO, chunked(data)))
    message = await compose.records_write(
        signer or (await person()).signer,
        SteppingClock(),
        data=ciphertext,
        data_format=place["dataFormat"],
        schema=place.get("schema"),
        protocol=place.get("protocol"),
        protocol_path=place.get("protocolPath"),
        encryption=encryption,
    )
    return message, ciphertext
