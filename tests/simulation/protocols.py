"""The protocol of the simulation: threads with replies, a role for guests; its second version knows sketches too."""

from __future__ import annotations

from typing import Any

URI = "https://threads.example"
ROLE = "friend"
GUESTS = ("create", "update", "read", "query", "subscribe")


def definition(version: int) -> dict[str, Any]:
    """Version 1 or 2; what fits 1 fits 2."""
    more = {"sketch": {}} if version > 1 else {}
    return {
        "protocol": URI,
        "published": False,
        "types": {ROLE: {}, "thread": {}, "reply": {}, "reaction": {}, **more},
        "structure": {
            ROLE: {"$role": True},
            "thread": {
                "$actions": [{"role": ROLE, "can": list(GUESTS)}],
                "reply": {
                    "$actions": [{"role": ROLE, "can": list(GUESTS)}],
                    "reaction": {},
                },
                **more,
            },
        },
    }
