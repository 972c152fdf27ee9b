"""Errors as JSON, from the tab that is the node to the tab that called it."""

from __future__ import annotations

from typing import Any

from web5 import errors
from web5.errors import DidError, DwnError, Web5Error

_BY_NAME: dict[str, type[Web5Error]] = {
    kind.__name__: kind
    for kind in (
        errors.Web5Error,
        errors.InvalidArgument,
        errors.MalformedData,
        errors.IdentityError,
        errors.VaultError,
        errors.VaultLocked,
        errors.WrongPassword,
        errors.RecoveryError,
        errors.DelegationError,
        errors.CryptoError,
        errors.EncryptionError,
        errors.RemoteError,
        errors.Unreachable,
        errors.TimedOut,
        errors.BadReply,
        errors.BodyTooLarge,
        errors.NoWebSocket,
        errors.StorageError,
        errors.StorageFull,
        errors.StorageLost,
        errors.StorageBlocked,
        errors.StorageCorrupt,
        errors.StorageBusy,
        errors.NodeGone,
        errors.StorageNewer,
        errors.BlobMissing,
    )
}
"""The errors that are no more than a message; any other crosses as the next of these that it is."""


_WITH_MORE: dict[str, tuple[type[Web5Error], tuple[str, ...]]] = {
    kind.__name__: (kind, names)
    for kind, names in (
        (errors.GrantMissing, ("scope",)),
        (errors.GrantEnded, ("scope",)),
        (errors.GrantTooNarrow, ("scope", "narrow_to")),
        (errors.RegistrationError, ("reason",)),
    )
}
"""Errors that say more than a message, and what: after the message, but for RegistrationError before it."""

_REASONS = frozenset(map(str, errors.RegistrationReason))


def error_to_wire(error: Exception) -> dict[str, Any]:
    """Describe an error so that `error_from_wire` can make it again."""
    if isinstance(error, DwnError):
        return {"status": error.status, "detail": error.detail}
    if isinstance(error, DidError):
        return {"did": error.code, "message": str(error).removeprefix(f"{error.code}: ")}
    kept = _WITH_MORE.get(type(error).__name__)
    if kept is not None:
        more = {name: getattr(error, name) for name in kept[1]}
        return {"type": type(error).__name__, "message": str(error), "more": more}
    if isinstance(error, errors.KeyMissing):
        return {"type": "KeyMissing", "keys": error.keys}
    if isinstance(error, Web5Error):
        return {"type": next(k.__name__ for k in type(error).__mro__ if k.__name__ in _BY_NAME), "message": str(error)}
    return {"type": Web5Error.__name__, "message": f"{type(error).__name__}: {error}"}


def error_from_wire(wire: Any) -> Web5Error:
    """Make the error again; whatever is no error of ours becomes a plain Web5Error."""
    match wire:
        case {"status": int(status), "detail": str(detail)} if 100 <= status <= 599:
            return DwnError.from_status(status, detail)
        case {"did": str(code), "message": str(message)}:
            return DidError(code, message)
        case {"type": "KeyMissing", "keys": list(keys)}:
            return errors.KeyMissing(
                [(str(one[0]), str(one[1])) for one in keys if isinstance(one, list) and len(one) == 2]
            )
        case {"type": "RegistrationError", "message": str(message), "more": {"reason": reason}} if reason in _REASONS:
            return errors.RegistrationError(errors.RegistrationReason(reason), message)
        case {"type": str(name), "message": str(message), "more": {"scope": dict(scope), **more}} if name in _WITH_MORE:
            kind, names = _WITH_MORE[name]
            rest = [more.get(one) for one in names[1:]]
            if all(isinstance(one, dict) for one in rest):
                return kind(message, scope, *rest)
        case {"type": str(name), "message": str(message)}:
            return _BY_NAME.get(name, Web5Error)(message)
    return Web5Error("Another tab answered with an error that is none.")
