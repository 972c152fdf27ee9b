"""Making credentials and presentations, and reading their properties."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.unit.vc.parties import NOW, StandingClock
from web5.errors import CredentialError, InvalidArgument
from web5.strict_json import MAX_NESTING
from web5.vc import Code, VerifiableCredential, VerifiablePresentation
from web5.vc.dates import as_text, seconds_of, text_of
from web5.vc.models import CONTEXT, STATUS_LIST_CONTEXT

ISSUER, SUBJECT = "did:example:issuer", "did:example:alice"
WIRE: dict[str, Any] = {
    "@context": [CONTEXT],
    "type": ["VerifiableCredential"],
    "issuer": ISSUER,
    "issuanceDate": NOW,
    "credentialSubject": {"id": SUBJECT},
}


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def made(**options: Any) -> VerifiableCredential:
    given = {"issuer": ISSUER, "subject": SUBJECT, "data": {"level": "gold"}, "clock": StandingClock(), **options}
    return VerifiableCredential.create(**given)


def test_a_credential_has_what_the_reference_gives_it_in_its_order() -> None:
    wire = made(type="Membership", expiration_date="2027-01-01T00:00:00.5+02:00", evidence=[{"a": 1}]).to_wire()
    identifier = wire.pop("id")
    assert identifier.startswith("urn:uuid:")
    assert list(wire.items()) == [
        ("@context", [CONTEXT]),
        ("type", ["VerifiableCredential", "Membership"]),
        ("issuer", ISSUER),
        ("issuanceDate", NOW),
        ("credentialSubject", {"id": SUBJECT, "level": "gold"}),
        ("expirationDate", "2027-01-01T00:00:00.5+02:00"),
        ("evidence", [{"a": 1}]),
    ]


def test_only_a_credential_with_a_status_names_the_context_of_status_lists() -> None:
    assert made(credential_status={"id": "urn:a", "type": "StatusList2021Entry"}).context == [
        CONTEXT,
        STATUS_LIST_CONTEXT,
    ]
    assert made().context == [CONTEXT]


def test_what_an_app_gave_is_copied() -> None:
    data: dict[str, Any] = {"list": [1]}
    credential = made(data=data)
    data["list"].append(2)
    assert credential.subjects == [{"id": SUBJECT, "list": [1]}]


def test_times_are_given_as_datetimes_or_texts() -> None:
    zone = timezone(timedelta(hours=2))
    assert made(issuance_date=datetime(2026, 1, 2, 3, 4, 5, 999, tzinfo=zone)).issuance_date == "2026-01-02T01:04:05Z"
    assert made(expiration_date=datetime(2026, 1, 2, tzinfo=UTC)).expiration_date == "2026-01-02T00:00:00Z"
    for wrong in ("yesterday", "2026-02-30T00:00:00Z", "2026-01-01", datetime(2026, 1, 1)):
        with pytest.raises(InvalidArgument):
            made(issuance_date=wrong)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.9Z", -1),
        ("2024-02-29T12:00:00.123456789+05:30", 1709188200),
        ("0001-01-01T00:00:00Z", -62135596800),
        ("9999-12-31T23:59:59Z", 253402300799),
    ],
)
def test_texts_are_moments(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds
    assert seconds_of(text_of(seconds)) == seconds
    assert as_text(text) == text


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": ""},
        {"subject": None},
        {"data": {"id": "did:example:mallory"}},
        {"data": {"a": float("inf")}},
        {"data": ["level"]},
        {"data": {"a": nested(MAX_NESTING)}},
        {"type": 5},
        {"type": ["a", 5]},
    ],
)
def test_what_makes_no_credential_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        made(**wrong)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"@context": []}, "@context"),
        ({"@context": "https://example.org"}, "@context"),
        ({"@context": ["https://example.org", CONTEXT]}, "@context"),
        ({"id": "no URI"}, "id"),
        ({"id": ""}, "id"),
        ({"issuer": "alice"}, "issuer"),
        ({"issuer": {"id": "alice"}}, "issuer"),
        ({"credentialSubject": {"id": "alice", "level": "gold"}}, "credentialSubject"),
        ({"credentialSubject": [{"level": "gold"}, {"id": 5}]}, "credentialSubject"),
        ({"credentialStatus": {"type": "StatusList2021Entry"}}, "credentialStatus"),
        ({"credentialStatus": {"id": "urn:a"}}, "credentialStatus"),
        ({"credentialStatus": {"id": "a", "type": "StatusList2021Entry"}}, "credentialStatus"),
        ({"credentialStatus": [{"id": "urn:a", "type": "A"}, {"id": "urn:b", "type": []}]}, "credentialStatus"),
        ({"type": "Membership"}, "type"),
        ({"issuer": {"name": "nobody"}}, "issuer"),
        ({"issuer": 5}, "issuer"),
        ({"issuanceDate": "today"}, "issuanceDate"),
        ({"expirationDate": "2026-01-01T25:00:00Z"}, "expirationDate"),
        ({"credentialSubject": {}}, "credentialSubject"),
        ({"credentialSubject": []}, "credentialSubject"),
        ({"credentialSubject": [{}]}, "credentialSubject"),
    ],
)
def test_what_is_no_credential_says_where(change: dict[str, Any], place: str) -> None:
    with pytest.raises(CredentialError, match=place) as raised:
        VerifiableCredential.from_wire({**WIRE, **change})
    assert raised.value.code == Code.MALFORMED_CREDENTIAL


def test_issuers_and_subjects_have_several_forms() -> None:
    credential = VerifiableCredential.from_wire(
        {**WIRE, "issuer": {"id": ISSUER, "name": "I"}, "credentialSubject": [{"id": SUBJECT}, {"a": 1}], "other": [1]}
    )
    assert (credential.issuer_id, credential.subject_id) == (ISSUER, SUBJECT)
    assert credential.subjects == [{"id": SUBJECT}, {"a": 1}]
    assert credential.to_wire()["other"] == [1]
    assert VerifiableCredential.from_wire({**WIRE, "credentialSubject": {"a": 1}}).subject_id is None
    assert VerifiableCredential.from_wire({**WIRE, "type": "VerifiableCredential"}).types == ["VerifiableCredential"]


def test_a_presentation_has_what_the_reference_gives_it_in_its_order() -> None:
    presentation = VerifiablePresentation.create(
        holder=SUBJECT, vc_jwts=["a.b.c"], type=["Foo"], additional_data={"extra": 1}
    )
    wire = presentation.to_wire()
    assert wire.pop("id").startswith("urn:uuid:")
    assert list(wire.items()) == [
        ("@context", [CONTEXT]),
        ("type", ["VerifiablePresentation", "Foo"]),
        ("holder", SUBJECT),
        ("verifiableCredential", ["a.b.c"]),
        ("extra", 1),
    ]
    assert presentation.vc_jwts == ["a.b.c"]


@pytest.mark.parametrize(
    "wrong", [{"holder": ""}, {"vc_jwts": [5]}, {"additional_data": {"holder": "x"}}, {"additional_data": {"a": {1}}}]
)
def test_what_makes_no_presentation_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        VerifiablePresentation.create(**{"holder": SUBJECT, "vc_jwts": ["a.b.c"], **wrong})


def test_a_presentation_without_credentials_in_texts_is_none() -> None:
    wire = {"@context": [CONTEXT], "type": "VerifiablePresentation"}
    some = {"verifiableCredential": "a.b.c"}
    for change in (
        {},
        {"verifiableCredential": [{"type": "VerifiableCredential"}]},
        {**some, "id": "mine"},
        {**some, "holder": "alice"},
        {**some, "@context": ["https://example.org", CONTEXT]},
    ):
        with pytest.raises(CredentialError) as raised:
            VerifiablePresentation.from_wire({**wire, **change})
        assert raised.value.code == Code.MALFORMED_PRESENTATION
    assert VerifiablePresentation.from_wire({**wire, "verifiableCredential": "a.b.c"}).vc_jwts == ["a.b.c"]
