"""The `encryption` of a RecordsWrite: who opens it, and that whatever is wrong with it is a typed error."""

from __future__ import annotations

import base64
import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.dwn.encryption.sealed import CRYPTO, collected, root_of, sealed_write
from web5.api.records.data import chunked
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.crypto.jose.jwk import public_jwk
from web5.dwn.encryption.content import Target, content_key, entries_of
from web5.dwn.encryption.derivation import RootKey, path_for
from web5.errors import EncryptionError, KeyMissing

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())
ROOT = RootKey("did:example:alice#enc", b64url_decode(VECTORS["root"]["d"]))
NOTE = {"dataFormat": "text/plain", "schema": "https://schema.example/note"}


@pytest.mark.parametrize("vector", VECTORS["writes"], ids=["schema", "data format", "protocol"])
async def test_what_the_reference_encrypted_opens_by_each_scheme(vector: Any) -> None:
    message = vector["message"]
    for entry in entries_of(message):
        scheme = entry["derivationScheme"]
        for depth in (0, 1, 2):
            key = ROOT.derive(scheme, path_for(scheme, message)[:depth])
            content = await content_key(CRYPTO, message, [key])
            assert (
                await collected(content.crypt(CRYPTO, chunked(base64.b64decode(vector["data"]))))
                == vector["plaintext"].encode()
            )


async def test_a_recipients_own_key_is_used_as_it_is() -> None:
    alice, bob, carol = (
        await root_of("did:a:alice#enc"),
        await root_of("did:a:bob#enc"),
        await root_of("did:a:carol#enc"),
    )
    public = public_jwk(await bob.derive("schemas", ()).jwk(CRYPTO))
    message, _ = await sealed_write(alice, NOTE, ["schemas"], b"x", Target(bob.key_id, "schemas", public, named=True))
    keys = [
        await content_key(CRYPTO, message, [someone.derive(scheme, ()) for scheme in ("schemas", "dataFormats")])
        for someone in (alice, bob)
    ]
    assert keys[0] == keys[1]
    with pytest.raises(KeyMissing, match="did:a:alice#enc by schemas, did:a:bob#enc by schemas") as caught:
        await content_key(CRYPTO, message, [carol.derive("schemas", ())])
    assert caught.value.keys == [("did:a:alice#enc", "schemas"), ("did:a:bob#enc", "schemas")]


async def test_a_key_for_other_records_does_not_open_it() -> None:
    message = VECTORS["writes"][0]["message"]
    other = ROOT.derive("schemas", ("schemas", "https://schema.example/other"))
    with pytest.raises(EncryptionError, match="does not open it") as caught:
        await content_key(CRYPTO, message, [other])
    assert not isinstance(caught.value, KeyMissing)
    right = ROOT.derive("schemas", ("schemas",))
    assert await content_key(CRYPTO, message, [other, right]) == await content_key(CRYPTO, message, [right])


async def test_a_record_in_the_clear_has_no_entries() -> None:
    assert entries_of({"descriptor": NOTE}) == []
    with pytest.raises(KeyMissing):
        await content_key(CRYPTO, {"descriptor": NOTE}, [ROOT.derive("schemas", ())])


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=5),
    st.just({}),
    st.just([]),
    # 16 bytes would be another initialization vector, and a proper one.
    st.binary(max_size=40).filter(lambda raw: len(raw) != 16).map(b64url_encode),
    st.just({"kty": "EC", "crv": "secp256k1", "x": "AAAA"}),
)


@given(data=st.data())
@settings(max_examples=200, deadline=None)
async def test_whatever_is_wrong_with_it_is_an_encryption_error(data: st.DataObject) -> None:
    message = copy.deepcopy(VECTORS["writes"][0]["message"])
    message["encryption"]["keyEncryption"] = message["encryption"]["keyEncryption"][:1]
    place: Any = message["encryption"]
    if data.draw(st.booleans()):
        place = place["keyEncryption"][0]
        if data.draw(st.booleans()):
            place = place["ephemeralPublicKey"]
    name = data.draw(st.sampled_from([name for name in place if name not in ("alg", "kid")]))
    old = place[name]
    place[name] = data.draw(ODD.filter(lambda odd: odd != old))
    with pytest.raises(EncryptionError):
        await content_key(CRYPTO, message, [ROOT.derive("schemas", ())])


@given(value=ODD)
def test_an_encryption_that_is_none_is_an_encryption_error(value: Any) -> None:
    if value is None:
        return
    with pytest.raises(EncryptionError, match="malformed"):
        entries_of({"descriptor": NOTE, "encryption": value})
