"""The texts of the connect flow, by the numbers of the invariants of `….connect.wire`."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from web5.agent.delegation.connect import wire
from web5.cpython.crypto import CPythonCrypto
from web5.crypto.encoding import b64url_encode
from web5.dids import jwk
from web5.dids.keys import signer_for
from web5.errors import CryptoError

crypto = CPythonCrypto()
CLAIMS = {"sub": "ü", "nested": {"a": [1, None]}}
KEY = bytes(32)
PART = st.sampled_from(["", "a", "e30", "bnVsbA", b64url_encode(b'{"alg":"EdDSA","kid":"did:jwk:e30#0"}')]) | st.text(
    alphabet="abc_-.é", max_size=8
)


async def test_a_request_is_what_was_signed() -> None:
    client = await jwk.create(crypto)
    jwt = await wire.sign(await signer_for(client, crypto), CLAIMS)
    opened = await wire.open_request(await wire.seal_request(jwt, KEY), KEY)
    assert await wire.verified(crypto, opened) == (client.uri, CLAIMS)


async def test_2_a_response_is_for_one_reader_and_one_pin() -> None:
    client, delegate, other = [await jwk.create(crypto) for _ in range(3)]
    sealed = await wire.seal_response(crypto, "text", delegate, client.uri, "0123")
    assert await wire.open_response(crypto, sealed, client, "0123") == b"text"
    for reader, pin in ((client, "0124"), (client, ""), (other, "0123")):
        with pytest.raises(CryptoError):
            await wire.open_response(crypto, sealed, reader, pin)


async def test_keys_of_another_kind_are_refused() -> None:
    client, elsewhere = await jwk.create(crypto), await jwk.create(crypto, "secp256k1")
    with pytest.raises(CryptoError, match="Ed25519"):
        await wire.seal_response(crypto, "text", client, elsewhere.uri, "0123")
    with pytest.raises(CryptoError, match="EdDSA"):
        await wire.verified(crypto, (await wire.sign(await signer_for(elsewhere, crypto), CLAIMS)).encode())
    with pytest.raises(CryptoError, match="did:jwk"):
        await wire.seal_response(crypto, "text", client, "did:example:a", "0123")


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 2), st.integers(0, 4), PART)
async def test_1_whatever_was_spoilt_is_refused(which: int, place: int, part: str) -> None:
    client, delegate = await jwk.create(crypto), await jwk.create(crypto)
    jwt = await wire.sign(await signer_for(client, crypto), CLAIMS)
    request = await wire.seal_request(jwt, KEY)
    response = await wire.seal_response(crypto, jwt, delegate, client.uri, "0123")
    parts = (jwt, request, response)[which].split(".")
    parts[place % len(parts)] = part
    text = ".".join(parts)
    for opening, whole in (
        (wire.verified(crypto, text.encode()), jwt),
        (wire.open_request(text, KEY), request),
        (wire.open_response(crypto, text, client, "0123"), response),
    ):
        with suppress(CryptoError):
            await opening
            assert text == whole
