"""Errors as JSON, from the tab that is the node to the tab that called it."""

from __future__ import annotations

from typing import Any

from web5 import errors
from web5.errors import DidError, DwnError, Web5Error


def error_to_wire(error: Exception) -> dict[str, Any]:
    """Describe an error so that `error_from_wire` can make it again."""
    if isinstance(error, DwnError):
        return {"status": error.status, "detail": error.detail}
    if isinstance(error, DidError):
        return {"did": error.code, "message": str(error).removeprefix(f"{error.code}: ")}
    if isinstance(error, Web5Error):
        return {"type": type(error).__name__, "message": str(error)}
    return {"type": Web5Error.__name__, "message": f"{type(error).__name__}: {error}"}


def error_from_wire(wire: dict[str, Any]) -> Web5Error:
    """Make the error again, of its class if that is one of `web5.errors`."""
    if "status" in wire:
        return DwnError.from_status(wire["status"], wire["detail"])
    if "did" in wire:
        return DidError(wire["did"], wire["message"])
    kind = getattr(errors, wire["type"], Web5Error)
    error: Web5Error = kind(wire["message"])
    return error
