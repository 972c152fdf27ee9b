"""The permissions protocol, which every DWN has without its being configured (`src/protocols/permissions.ts`)."""

from __future__ import annotations

from typing import Any, Final

URI: Final = "https://tbd.website/dwn/permissions"

REQUEST: Final = "request"
GRANT: Final = "grant"
REVOCATION: Final = "grant/revocation"
"""The protocol paths of its three kinds of records."""

_SIZE: Final = {"max": 10000}

DEFINITION: Final[dict[str, Any]] = {
    "published": True,
    "protocol": URI,
    "types": {name: {"dataFormats": ["application/json"]} for name in ("request", "grant", "revocation")},
    "structure": {
        "request": {"$size": _SIZE, "$actions": [{"who": "anyone", "can": ["create"]}]},
        "grant": {
            "$size": _SIZE,
            "$actions": [{"who": "recipient", "of": "grant", "can": ["read", "query"]}],
            "revocation": {"$size": _SIZE, "$actions": [{"who": "anyone", "can": ["read"]}]},
        },
    },
}
"""Its definition, in the shape that a ProtocolsConfigure carries."""
