"""The tables by which the browser's exceptions become web5 errors.

Names are those of DOMException (Web IDL, section 2.8.1) and of JavaScript's own error types.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from web5.errors import (
    InvalidArgument,
    StorageBlocked,
    StorageBusy,
    StorageCorrupt,
    StorageError,
    StorageFull,
    StorageNewer,
    TimedOut,
    Unreachable,
    Web5Error,
)

STORAGE: Mapping[str, type[Web5Error]] = {
    "": StorageError,  # whatever is not named below
    "QuotaExceededError": StorageFull,
    "ConstraintError": StorageBusy,  # another tab has added the same key first
    "VersionError": StorageNewer,  # a newer version of the site has upgraded the database
    "NotReadableError": StorageCorrupt,  # Chromium: a record's file is gone
    "SecurityError": StorageBlocked,
    "DataCloneError": StorageError,
    "InvalidStateError": StorageError,  # the connection is closing or closed
    "AbortError": StorageError,
    "BlockedError": StorageBusy,  # of `indexeddb` itself: another tab has the database open at another version
    "TimeoutError": StorageError,  # of `indexeddb` itself: the browser does not answer
}

NETWORK: Mapping[str, type[Web5Error]] = {
    "": Unreachable,
    "TypeError": Unreachable,  # fetch says no more than this of refused, broken or CORS-blocked connections
    "NetworkError": Unreachable,
    "AbortError": TimedOut,  # we abort a request only when its time is over
    "TimeoutError": TimedOut,
}

FILE: Mapping[str, type[Web5Error]] = {"": InvalidArgument}
"""A File that a person chose: NotReadableError says that it was changed or removed since."""


def translated(table: Mapping[str, type[Web5Error]], js_error: Any, doing: str) -> Web5Error:
    """Make the web5 error for an exception or error event's `error`; it says what was being done.

    Parameters:
        table: STORAGE, NETWORK or FILE.
        js_error: a JsException, a DOMException proxy, or None where the browser gives no reason.
        doing: a short phrase such as "writing pages".
    """
    name = str(getattr(js_error, "name", "") or "")
    message = str(getattr(js_error, "message", "") or "").strip()
    why = ": ".join(part for part in (name, message) if part) or "the browser gave no reason"
    return table.get(name, table[""])(f"{doing} failed: {why}")
