"""An error that a tab sends is the same error where it arrives."""

from __future__ import annotations

import json

import pytest

from web5 import errors
from web5.browser.tabs.tab_errors import error_from_wire, error_to_wire


@pytest.mark.parametrize(
    "error",
    [
        errors.Conflict("TestConflict", "a message: with a colon"),
        errors.DwnError("", "no code", 418),
        errors.ServerFailure("", "broken", 503),
        errors.DidError("notFound", "did:dht:abc is not published"),
        errors.StorageFull("no room"),
        errors.StorageNewer("reload"),
        errors.NodeGone("again"),
        errors.InvalidArgument("not that"),
        errors.Unreachable("gone"),
        errors.WrongPassword("no"),
        errors.BlobMissing("no"),
        errors.Web5Error("plain"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_cross(error: errors.Web5Error) -> None:
    arrived = error_from_wire(json.loads(json.dumps(error_to_wire(error))))
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert getattr(arrived, "status", None) == getattr(error, "status", None)
    assert getattr(arrived, "code", None) == getattr(error, "code", None)


def test_an_error_of_no_kind_of_ours_is_a_web5_error_with_its_name() -> None:
    arrived = error_from_wire(error_to_wire(KeyError("x")))
    assert type(arrived) is errors.Web5Error
    assert str(arrived) == "KeyError: 'x'"


@pytest.mark.parametrize(
    ("error", "names"),
    [
        (errors.GrantMissing("none", {"interface": "Records"}), ("scope",)),
        (errors.GrantEnded("over", {"interface": "Records"}), ("scope",)),
        (errors.GrantTooNarrow("less", {"interface": "Records"}, {"schema": "urn:a"}), ("scope", "narrow_to")),
        (errors.KeyMissing([("did:x:y#enc", "protocolPath")]), ("keys",)),
        (errors.RegistrationError(errors.RegistrationReason.REFUSED, "no"), ("reason",)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_an_error_has_beside_its_message_crosses(error: errors.Web5Error, names: tuple[str, ...]) -> None:
    arrived = error_from_wire(json.loads(json.dumps(error_to_wire(error))))
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert [getattr(arrived, name) for name in names] == [getattr(error, name) for name in names]


def test_an_error_that_tabs_do_not_know_is_the_next_that_it_is() -> None:
    arrived = error_from_wire(error_to_wire(errors.CredentialError("Expired", "over")))
    assert type(arrived) is errors.Web5Error
    assert str(arrived) == str(errors.CredentialError("Expired", "over"))


@pytest.mark.parametrize(
    "wire",
    [
        None,
        [],
        "StorageFull",
        {},
        {"type": "first_error", "message": "a function of the module"},
        {"type": "annotations", "message": "no error at all"},
        {"type": "__builtins__", "message": "x"},
        {"type": "KeyMissing", "message": "wants more than a message"},
        {"type": ["StorageFull"], "message": "x"},
        {"type": "StorageFull", "message": {"a": 1}},
        {"status": "404", "detail": "x"},
        {"status": 10**9, "detail": "x"},
        {"status": 404, "detail": None},
        {"did": {}, "message": "x"},
    ],
)
def test_what_is_no_error_of_ours_is_a_plain_one(wire: object) -> None:
    assert type(error_from_wire(wire)) is errors.Web5Error


@pytest.mark.parametrize(
    "wire",
    [
        {"type": "GrantTooNarrow", "message": "less", "more": {"scope": {}}},
        {"type": "RegistrationError", "message": "no", "more": {"reason": "another"}},
        {"type": "KeyMissing", "keys": "none"},
    ],
)
def test_an_error_that_lacks_what_it_needs_is_a_plain_one(wire: dict[str, object]) -> None:
    assert type(error_from_wire(wire)) is errors.Web5Error
