"""Presentation Exchange: what is selected, shown and refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.vc.parties import VECTORS, World, crypto
from web5.dids import jwk, key
from web5.errors import CredentialError
from web5.vc import Code, credential_signer, sign_presentation
from web5.vc.exchange import check_satisfied, presentation_for, select_credentials
from web5.vc.json_path import MAX_NODES, nodes

LEVEL = "$.vc.credentialSubject.level"


def asks(*fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "d", "input_descriptors": [{"id": "i", "constraints": {"fields": list(fields)}, **more}]}


def code_of(vc_jwts: list[str], definition: Any) -> str:
    with pytest.raises(CredentialError) as raised:
        check_satisfied(vc_jwts, definition)
    return raised.value.code


@pytest.fixture
async def wallet() -> dict[str, str]:
    world, issuer, other = World(), await jwk.create(crypto), await key.create(crypto, "secp256k1")
    return {
        "gold": await world.issue(issuer, type="Membership", data={"level": "gold", "visits": [{"at": 1}, {"at": 2}]}),
        "silver": await world.issue(other, type="Membership", data={"level": "silver"}),
        "ticket": await world.issue(issuer, type="Ticket", data={"row": 7}),
    }


@pytest.mark.parametrize(
    ("fields", "selected"),
    [
        ([{"path": [LEVEL]}], "gold silver"),
        ([{"path": [LEVEL], "filter": {"type": "string", "const": "gold"}}], "gold"),
        ([{"path": ["$.nowhere", LEVEL], "filter": {"const": "silver"}}], "silver"),
        ([{"path": ["$.vc.credentialSubject.row", LEVEL], "filter": {"const": "gold"}}], "gold"),
        ([{"path": ["$.iss", LEVEL], "filter": {"const": "gold"}}], ""),
        ([{"path": ["$.vc.type[*]"], "filter": {"pattern": "^Ticket$"}}], "ticket"),
        ([{"path": [LEVEL]}, {"path": ["$..at"], "filter": {"const": 2}}], "gold"),
        ([{"path": [LEVEL], "optional": True, "filter": {"const": "gold"}}], "gold ticket"),
        ([], "gold silver ticket"),
    ],
)
async def test_what_is_asked_for_is_selected(wallet: dict[str, str], fields: list[Any], selected: str) -> None:
    chosen = select_credentials(list(wallet.values()), asks(*fields))
    assert [name for name, text in wallet.items() if text in chosen] == selected.split()
    if selected:
        check_satisfied(chosen, asks(*fields))
    else:
        assert code_of(list(wallet.values()), asks(*fields)) == Code.NOT_SATISFIED


async def test_one_missing_means_none(wallet: dict[str, str]) -> None:
    definition = asks({"path": [LEVEL]})
    definition["input_descriptors"].append({"id": "passport", "constraints": {"fields": [{"path": ["$.passport"]}]}})
    texts = list(wallet.values())
    assert select_credentials(texts, definition) == []
    with pytest.raises(CredentialError, match=r"notSatisfied.*passport"):
        presentation_for(texts, definition, "did:example:alice")
    assert code_of([], asks({"path": [LEVEL]})) == Code.NOT_SATISFIED


@pytest.mark.parametrize(
    ("formats", "selected"),
    [
        ({"jwt_vc": {}}, "gold silver"),
        ({"jwt_vc": {"alg": ["EdDSA"]}}, "gold"),
        ({"ldp_vc": {"proof_type": ["JsonWebSignature2020"]}}, ""),
    ],
)
async def test_formats_count_for_all_and_for_one(wallet: dict[str, str], formats: Any, selected: str) -> None:
    for definition in (
        {**asks({"path": [LEVEL]}), "format": formats},
        asks({"path": [LEVEL]}, format=formats),
    ):
        chosen = select_credentials(list(wallet.values()), definition)
        assert [name for name, text in wallet.items() if text in chosen] == selected.split()


async def test_a_presentation_says_what_answers_what(wallet: dict[str, str]) -> None:
    definition = asks({"path": [LEVEL]})
    definition["input_descriptors"].append({"id": "seat", "constraints": {"fields": [{"path": ["$..row"]}]}})
    world, holder = World(), await jwk.create(crypto)
    texts = [wallet["ticket"], wallet["gold"]]
    presentation = presentation_for(texts, definition, holder.uri)
    wire = presentation.to_wire()
    assert wire["@context"][1] == "https://identity.foundation/presentation-exchange/submission/v1"
    assert wire["type"] == ["VerifiablePresentation", "PresentationSubmission"]
    assert wire["presentation_submission"]["definition_id"] == "d"
    assert wire["presentation_submission"]["descriptor_map"] == [
        {"id": "i", "format": "jwt_vc", "path": "$.verifiableCredential[1]"},
        {"id": "seat", "format": "jwt_vc", "path": "$.verifiableCredential[0]"},
    ]
    text = await sign_presentation(presentation, await credential_signer(holder, crypto), world.clock)
    assert len((await world.verifier.verify_presentation(text, definition=definition)).credentials) == 2
    with pytest.raises(CredentialError, match=Code.NOT_SATISFIED):
        await world.verifier.verify_presentation(text, definition=asks({"path": ["$..passport"]}))


@pytest.mark.parametrize(
    "definition",
    [
        {},
        {"id": "d", "input_descriptors": []},
        {"id": "d", "input_descriptors": [{"id": "i"}, {"id": "i"}]},
        {**asks({"path": [LEVEL]}), "submission_requirements": [{"rule": "all", "from": "A"}]},
        asks({"path": []}),
        asks({"path": ["level"]}),
        asks({"path": ["$.a[?(@.b)]"]}),
        asks({"path": [LEVEL], "predicate": "required"}),
        asks({"path": [LEVEL], "filter": {"formatMinimum": "2020-01-01"}}),
        {"id": "d", "input_descriptors": [{"id": "i", "constraints": {"limit_disclosure": "required"}}]},
        {"id": "d", "input_descriptors": [{"id": "i", "constraints": {"is_holder": []}}]},
    ],
)
async def test_what_is_not_known_is_refused(wallet: dict[str, str], definition: Any) -> None:
    assert code_of(list(wallet.values()), definition) == Code.DEFINITION_UNSUPPORTED


def test_what_is_no_jwt_is_refused() -> None:
    assert code_of(["a.b"], asks({"path": [LEVEL]})) == Code.MALFORMED_JWT


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", [{"a": {"b c": [1, {"b": 2}]}, "@d": 3, "b": 4}]),
        ("$.a", [{"b c": [1, {"b": 2}]}]),
        ("$['a'][\"b c\"][0]", [1]),
        ("$.a['b c'][*]", [1, {"b": 2}]),
        ("$.a.*", [[1, {"b": 2}]]),
        ("$.@d", [3]),
        ("$..b", [4, 2]),
        ("$.a['b c'][7]", []),
        ("$.b[0]", []),
        ("$.nope.a", []),
    ],
)
def test_paths_lead_to_values(path: str, found: list[Any]) -> None:
    assert nodes(path, {"a": {"b c": [1, {"b": 2}]}, "@d": 3, "b": 4}) == found


def test_a_path_that_leads_to_too_much_is_refused() -> None:
    deep: Any = {}
    for _ in range(450):
        deep = {"a": deep}
    for path, value in (("$..a..a", deep), ("$[*]", list(range(MAX_NODES + 1))), ("$..a", [[]] * MAX_NODES)):
        with pytest.raises(ValueError, match="too much"):
            nodes(path, value)


@given(st.text(alphabet="$.[]*'\"a@0- ?()", max_size=12))
def test_any_path_is_followed_or_refused(path: str) -> None:
    try:
        assert isinstance(nodes(path, {"a": [{"a": 0}], "0": 1}), list)
    except ValueError as error:
        assert "path" in str(error)


leaves = (
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "d", "$", "$..level", "$.vc.type[*]", "preferred"])
)
names = [
    "id",
    "input_descriptors",
    "constraints",
    "fields",
    "path",
    "filter",
    "optional",
    "format",
    "jwt_vc",
    "alg",
    "const",
]
definitions = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(names), inner, max_size=3),
    max_leaves=12,
)
fields = st.fixed_dictionaries(
    {"path": definitions | st.just(["$..level"])}, optional={"filter": definitions, "x": definitions}
)


@given(st.lists(fields, max_size=2) | definitions, st.dictionaries(st.sampled_from(names), definitions, max_size=2))
def test_any_definition_selects_or_is_refused(some_fields: Any, more: Any) -> None:
    definition = {"id": "d", "input_descriptors": [{"id": "i", "constraints": {"fields": some_fields}}], **more}
    text = VECTORS["credentials"][0]["jwt"]
    try:
        assert select_credentials([text], definition) in ([], [text])
    except CredentialError as error:
        assert error.code == Code.DEFINITION_UNSUPPORTED


async def test_what_a_wallet_has_twice_is_selected_once(wallet: dict[str, str]) -> None:
    texts = list(wallet.values())
    definition = asks({"path": [LEVEL]})
    assert select_credentials([*texts, *texts], definition) == select_credentials(texts, definition)
    assert len(select_credentials([texts[0]] * 3, definition)) == 1
