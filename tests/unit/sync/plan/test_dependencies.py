"""Keys of dependencies, where the message that names them is a stranger's."""

import json
from typing import Any

import pytest

from web5.crypto.encoding import b64url_encode
from web5.strict_json import MAX_NESTING
from web5.sync.plan.dependencies import missing_key, ordering_key, parent_of, provided_keys

NO_GRANT = "GrantAuthorizationGrantMissing: it is not here"


def signed(payload: Any) -> dict[str, Any]:
    return {"authorization": {"signature": {"payload": payload}}}


def test_a_refusal_names_the_grant_that_the_author_has_signed() -> None:
    payload = b64url_encode(json.dumps({"permissionGrantId": "bafyGrant"}).encode())
    assert missing_key(signed(payload), NO_GRANT) == "record:bafyGrant"
    assert missing_key(signed(payload), "SchemaValidatorFailure: no") is None


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"authorization": []},
        signed(None),
        signed(["no text"]),
        signed("no base64url!"),
        signed(b64url_encode(b"no JSON")),
        signed(b64url_encode(b'["no object"]')),
        signed(b64url_encode(b'{"permissionGrantId": NaN}')),
        signed(b64url_encode(b'{"permissionGrantId":' + b"[" * 100_000 + b"]" * 100_000 + b"}")),
        signed(b64url_encode(b'{"permissionGrantId":' + b"[" * MAX_NESTING + b"]" * MAX_NESTING + b"}")),
    ],
)
def test_a_payload_that_cannot_be_read_names_nothing_and_harms_nobody(message: dict[str, Any]) -> None:
    assert missing_key(message, NO_GRANT) == "record:None"


def test_ordering_keys_and_parents() -> None:
    write = {"recordId": "r1", "descriptor": {"interface": "Records", "method": "Write", "parentId": "p"}}
    delete = {"descriptor": {"interface": "Records", "method": "Delete", "recordId": "r1"}}
    configure = {"descriptor": {"interface": "Protocols", "method": "Configure"}}
    assert ordering_key(write) == ordering_key(delete) == "r1"
    assert (parent_of(write), parent_of(delete)) == ("p", None)
    assert ordering_key(configure) == ordering_key({}) == ""
    assert provided_keys(write) == provided_keys(delete) == ("record:r1",)
