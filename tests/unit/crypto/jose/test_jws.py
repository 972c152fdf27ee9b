"""General JWS as dwn-sdk-js makes it."""

from __future__ import annotations

import json

from web5.cpython.crypto import CPythonCrypto
from web5.crypto.encoding import b64url_decode
from web5.crypto.jose import jws
from web5.crypto.jose.jwk import public_jwk


async def test_header_payload_and_signature() -> None:
    crypto = CPythonCrypto()
    keys = [await crypto.generate_key("Ed25519"), await crypto.generate_key("secp256k1")]
    signers = [
        jws.MessageSigner(f"did:example:{number}#0", await crypto.signer(key)) for number, key in enumerate(keys)
    ]
    signed = await jws.sign(b'{"a":1}', signers)
    assert signed.keys() == {"payload", "signatures"}
    assert b64url_decode(signed["payload"]) == b'{"a":1}'
    headers = [b64url_decode(signature["protected"]) for signature in signed["signatures"]]
    assert headers == [b'{"kid":"did:example:0#0","alg":"EdDSA"}', b'{"kid":"did:example:1#0","alg":"ES256K"}']
    for key, signature in zip(keys, signed["signatures"], strict=True):
        assert signature.keys() == {"protected", "signature"}
        data = f"{signature['protected']}.{signed['payload']}".encode()
        assert await crypto.verify(public_jwk(key), data, b64url_decode(signature["signature"]))


async def test_a_signer_knows_its_did_and_algorithm() -> None:
    crypto = CPythonCrypto()
    signer = jws.MessageSigner("did:example:é#key", await crypto.signer(await crypto.generate_key("P-256")))
    assert (signer.did, signer.algorithm) == ("did:example:é", "ES256")
    signed = await jws.sign(b"", [signer])
    assert json.loads(b64url_decode(signed["signatures"][0]["protected"]))["kid"] == "did:example:é#key"
    assert "é".encode() in b64url_decode(signed["signatures"][0]["protected"])


async def test_no_signer_gives_no_signature() -> None:
    assert await jws.sign(b"x", []) == {"payload": "eA", "signatures": []}
