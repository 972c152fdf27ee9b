"""The exception that a case expects, where there is no pytest."""

from __future__ import annotations

from collections.abc import Awaitable


async def expect(
    kind: type[Exception] | tuple[type[Exception], ...], doing: Awaitable[object], what: object = ""
) -> None:
    """Fail unless awaiting raises an exception of this kind.

    Parameters:
        what: what was given, for the failure's message.
    """
    try:
        result = await doing
    except kind:
        return
    raise AssertionError(f"{what or doing!r} gave {result!r}, and no {kind}")
