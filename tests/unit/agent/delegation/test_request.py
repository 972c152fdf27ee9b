"""What an app asks for, as it is handed over: read back as it was made, and nothing else is taken for it."""

from __future__ import annotations

from typing import Any

import pytest

from web5 import DelegationRequest, ProtocolPermissions
from web5.errors import DelegationError

NOTES = {"protocol": "https://example.org/notes", "published": True, "types": {"note": {}}, "structure": {"note": {}}}
WRITE = {"interface": "Records", "method": "Write", "protocol": NOTES["protocol"]}


def test_a_request_is_read_back_as_it_was_made() -> None:
    for did in ("did:example:app", None):
        made = DelegationRequest((ProtocolPermissions(NOTES, ["read", "write"]),), did, "Diary")
        read = DelegationRequest.from_json(made.to_json())
        assert (read.delegate_did, read.display_name) == (did, "Diary")
        assert [(one.definition, list(one.permissions)) for one in read.permissions] == [(NOTES, ["read", "write"])]
        assert read.to_json() == made.to_json()


def _asking(*scopes: Any, definition: Any = NOTES, **more: Any) -> Any:
    return {"permissionRequests": [{"protocolDefinition": definition, "permissionScopes": list(scopes)}], **more}


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "no request of an app"),
        ({"permissionRequests": []}, "no request of an app"),
        ({"permissionRequests": [_asking(WRITE)["permissionRequests"][0]] * 33}, "no request of an app"),
        ({"permissionRequests": [3]}, 'no "protocolDefinition"'),
        (_asking(), 'no "permissionScopes"'),
        (_asking(*[WRITE] * 65), 'no "permissionScopes"'),
        (_asking(3), "no object"),
        (_asking(WRITE, definition={}), "names no protocol"),
        (_asking(WRITE, definition={"protocol": "http://[a"}), "malformed|another protocol"),
        (_asking({**WRITE, "protocolPath": "note"}), 'narrowed by "protocolPath"'),
        (_asking({**WRITE, "protocol": "https://example.org/other"}), "another protocol"),
        (_asking({**WRITE, "method": "Destroy"}), "cannot be granted"),
        (_asking({**WRITE, "method": ["Write"]}), "cannot be granted"),
        (_asking({**WRITE, "interface": "Messages", "method": "Read"}), "nothing that can be done"),
        (_asking(WRITE, delegateDid="me"), "no DID"),
        (_asking(WRITE, displayName="x" * 101), "no text of up to 100"),
        ({"permissionRequests": _asking(WRITE)["permissionRequests"] * 2}, "twice"),
    ],
)
def test_what_is_no_request_is_refused_with_what_is_wrong(value: Any, says: str) -> None:
    with pytest.raises(DelegationError, match=says):
        DelegationRequest.from_json(value)
