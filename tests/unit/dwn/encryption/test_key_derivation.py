"""Keys of records: at the reference's paths, and what one key leads to."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web5.cpython.crypto import CPythonCrypto
from web5.crypto.encoding import b64url_decode
from web5.dwn.encryption.derivation import SCHEMES, DerivedKey, RootKey, fallback_root, path_for
from web5.errors import EncryptionError

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())
ROOT = RootKey("did:example:alice#enc", b64url_decode(VECTORS["root"]["d"]))
NOTE = {"dataFormat": "text/plain", "schema": "https://schema.example/note"}
REMARK = {"dataFormat": "text/plain", "protocol": "http://notes.example", "protocolPath": "note/remark"}


@pytest.mark.parametrize("vector", VECTORS["derivations"], ids=lambda vector: vector["path"][0])
def test_a_key_is_the_references(vector: Any) -> None:
    key = ROOT.derive("schemas", vector["path"])
    assert key.private == base64.b64decode(vector["private"])
    for depth in range(len(vector["path"])):
        assert ROOT.derive("schemas", vector["path"][:depth]).at(vector["path"]) == key


@pytest.mark.parametrize(
    ("scheme", "message", "path"),
    [
        ("schemas", {"descriptor": NOTE}, (NOTE["schema"],)),
        ("dataFormats", {"descriptor": NOTE}, (NOTE["schema"], "text/plain")),
        ("dataFormats", {"descriptor": {"dataFormat": "text/plain"}}, ("text/plain",)),
        ("protocolPath", {"descriptor": REMARK}, ("http://notes.example", "note", "remark")),
        ("protocolContext", {"descriptor": REMARK, "contextId": "bafyone/bafytwo"}, ("bafyone",)),
    ],
)
def test_a_record_has_one_path_for_each_scheme(scheme: Any, message: Any, path: tuple[str, ...]) -> None:
    assert path_for(scheme, message) == (scheme, *path)


@pytest.mark.parametrize("scheme", ["schemas", "protocolPath", "protocolContext"])
def test_a_scheme_that_does_not_fit_is_refused(scheme: Any) -> None:
    with pytest.raises(EncryptionError):
        path_for(scheme, {"descriptor": {"dataFormat": "text/plain"}})


def test_a_key_leads_only_to_what_lies_below_it() -> None:
    key = ROOT.derive("protocolPath", ("protocolPath", "http://notes.example", "note"))
    for path in (key.path[:-1], (*key.path[:-1], "scribble"), ("schemas",), ()):
        with pytest.raises(EncryptionError, match="does not lead to"):
            key.at(path)
    for step in ("", "\ud800"):
        with pytest.raises(EncryptionError):
            key.at((*key.path, step))


async def test_a_key_is_given_to_somebody_and_taken() -> None:
    key = ROOT.derive("protocolContext", ("protocolContext", "bafyone"))
    wire = await key.to_wire(CPythonCrypto())
    assert DerivedKey.from_wire(json.loads(json.dumps(wire))) == key
    jwk = wire["derivedPrivateKey"]
    for broken in (
        {},
        [],
        None,
        "key",
        {**wire, "derivationScheme": "other"},
        {**wire, "derivationPath": "protocolContext"},
        {**wire, "derivationPath": [1]},
        {**wire, "rootKeyId": 1},
        {**wire, "derivedPrivateKey": {**jwk, "d": "AAAA"}},
        {**wire, "derivedPrivateKey": {**jwk, "crv": "P-256"}},
        {**wire, "derivedPrivateKey": {name: jwk[name] for name in ("kty", "crv", "x", "y")}},
        {**wire, "derivedPrivateKey": None},
    ):
        with pytest.raises(EncryptionError, match="not a derived key"):
            DerivedKey.from_wire(broken)


@given(
    value=st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: (
            st.dictionaries(
                st.sampled_from(
                    ["rootKeyId", "derivationScheme", "derivationPath", "derivedPrivateKey", "d", "x", "kty"]
                ),
                inner,
            )
            | st.lists(inner)
        ),
    )
)
def test_any_json_is_a_key_or_an_encryption_error(value: Any) -> None:
    with pytest.raises(EncryptionError):
        DerivedKey.from_wire(value)


def test_an_identity_without_such_a_key_has_a_root_of_another() -> None:
    first, second = fallback_root("did:example:bob#sig", b"1" * 32), fallback_root("did:example:bob#sig", b"2" * 32)
    assert first == fallback_root("did:example:bob#sig", b"1" * 32)
    assert first.private not in (second.private, b"1" * 32)


def test_there_are_the_wires_four_schemes() -> None:
    assert SCHEMES == ("dataFormats", "protocolContext", "protocolPath", "schemas")
