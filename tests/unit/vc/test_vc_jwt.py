"""The JWT parser: what it takes apart, and that it fails in one way only."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.vc.parties import VECTORS, with_part
from web5.cpython.crypto import CPythonCrypto
from web5.crypto.encoding import b64url_encode
from web5.dids.models import PortableDid
from web5.errors import CredentialError, InvalidArgument
from web5.vc import Code, credential_signer, jwt, parse_credential, parse_presentation

GOOD: str = VECTORS["credentials"][0]["jwt"]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
dates = st.sampled_from(
    ["2024-05-06T07:08:09Z", "2024-13-06T07:08:09Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59"]
)
odd = (
    json_values | dates | st.sampled_from([10**400, -(10**400), 2**63, 1e308, "https://www.w3.org/2018/credentials/v1"])
)
documents = st.fixed_dictionaries(
    {"@context": st.just("https://www.w3.org/2018/credentials/v1") | odd},
    optional={
        "type": st.sampled_from(["VerifiableCredential", "VerifiablePresentation"]) | odd,
        "id": odd,
        "issuer": odd | st.just({"id": "did:example:a"}),
        "holder": odd,
        "issuanceDate": odd,
        "expirationDate": odd,
        "credentialSubject": odd | st.lists(odd, max_size=2),
        "credentialStatus": odd,
        "verifiableCredential": odd,
    },
)
claim_sets = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("vc", "vp"), documents | odd) | dict.fromkeys(("iss", "sub", "jti", "nbf", "exp"), odd),
)


def malformed(text: str) -> str:
    with pytest.raises(CredentialError) as raised:
        jwt.parse(text)
    assert raised.value.code == Code.MALFORMED_JWT
    return str(raised.value)


def test_a_jwt_comes_apart() -> None:
    token = jwt.parse(GOOD)
    assert token.algorithm == "EdDSA"
    assert token.key_id == VECTORS["credentials"][0]["portableDid"]["document"]["assertionMethod"][0]
    assert token.payload["vc"] == VECTORS["credentials"][0]["vc"]
    assert token.signed == GOOD.rpartition(".")[0].encode()
    assert len(token.signature) == 64


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b",
        f"{GOOD}.x",
        f"{GOOD}=",
        f" {GOOD}",
        with_part(GOOD, 0, [1]),
        with_part(GOOD, 0, {"alg": "EdDSA"}),
        with_part(GOOD, 0, {"alg": "EdDSA", "kid": 5}),
        with_part(GOOD, 0, {"alg": "EdDSA", "kid": "did:example:a#0", "crit": ["b64"], "b64": False}),
        with_part(GOOD, 1, b"\xff"),
        with_part(GOOD, 1, b"NaN"),
        with_part(GOOD, 1, b"[" * 100_000),
        "a" * (jwt.MAX_LENGTH + 1),
    ],
)
def test_what_is_no_jwt_says_so(text: str) -> None:
    malformed(text)


def test_no_text_is_no_jwt() -> None:
    malformed(None)  # type: ignore[arg-type]


@given(st.text() | st.lists(st.binary().map(b64url_encode), min_size=3, max_size=3).map(".".join))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        jwt.parse(text)
    except CredentialError as error:
        assert error.code == Code.MALFORMED_JWT


@given(claim_sets)
def test_any_claims_make_a_credential_or_are_refused(claims: object) -> None:
    text = with_part(GOOD, 1, json.dumps(claims).encode())
    for parse in (parse_credential, parse_presentation):
        try:
            again = parse(text).to_wire()
        except CredentialError as error:
            assert error.code in list(Code)
        else:
            assert json.loads(json.dumps(again)) == again


async def test_the_header_is_the_references() -> None:
    portable_did = PortableDid.from_wire(VECTORS["credentials"][1]["portableDid"])
    text = await jwt.sign({"a": "ü"}, await credential_signer(portable_did, CPythonCrypto()))
    assert list(jwt.parse(text).header.items()) == [
        ("alg", "ES256K"),
        ("kid", portable_did.document.verification_methods[0].id),
    ]
    assert list(jwt.parse(text).header) == list(jwt.parse(VECTORS["credentials"][1]["jwt"]).header)


def test_what_json_cannot_hold_is_not_signed() -> None:
    for value in (float("nan"), {1, 2}, "\ud800"):
        with pytest.raises(InvalidArgument, match="JSON"):
            jwt.as_json({"a": value})
