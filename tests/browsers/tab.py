"""A browser's tab, as tests use it: what Firefox and WebKit can both be asked for, in Playwright's words."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import Any

_CALL = """const it = ({expression});
  return JSON.stringify({{ result: await (typeof it === "function" ? it({argument}) : it) }});"""


class ScriptError(Exception):
    """What a page's script has thrown."""


class Tab(ABC):
    """One page."""

    async def evaluate(self, expression: str, argument: object = None) -> Any:
        """Evaluate an expression in the page, or call the function that it is; what its promise gives, by way of JSON.

        Raises:
            ScriptError: it has thrown.
        """
        body = _CALL.format(expression=expression, argument=json.dumps(argument))
        return json.loads(await self.run(body)).get("result")

    @abstractmethod
    async def run(self, body: str) -> str:
        """Run the body of an async function in the page; the text that it returns."""

    @abstractmethod
    async def goto(self, url: str) -> None:
        """Go to a page, and return once it has loaded."""

    @abstractmethod
    async def reload(self) -> None: ...

    @abstractmethod
    async def close(self) -> None: ...


class Browser(ABC):
    """A browser of a fresh profile."""

    @abstractmethod
    async def new_tab(self) -> Tab: ...
