"""The fenced blocks of the documentation, and how those in Python are run."""

from __future__ import annotations

import ast
import inspect
import io
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SERVED = "http://127.0.0.1:8000"
"""Where `build.py serve` serves, which is what the documentation names."""


@dataclass(frozen=True)
class Block:
    """
    Parameters:
        info: what stands behind the fence, such as "python".
        line: where it begins in its page.
    """

    info: str
    text: str
    line: int


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text()
    return [Block(found[1], found[2], text.count("\n", 0, found.start()) + 1) for found in _FENCE.finditer(text)]


def pairs(blocks: list[Block]) -> Iterator[tuple[Block, str | None]]:
    """Each block in Python, and the text that it prints if the page shows that, in the order of the page."""
    for number, block in enumerate(blocks):
        if block.info == "python":
            following = blocks[number + 1] if number + 1 < len(blocks) else None
            yield block, following.text if following is not None and following.info == "text" else None


async def run(page: Path, block: Block, names: dict[str, Any]) -> str:
    """Run a block in a namespace; what it printed."""
    code: CodeType = compile(
        "\n" * block.line + block.text, str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True
    )
    out = io.StringIO()
    with redirect_stdout(out):
        result = eval(code, names)
        if inspect.iscoroutine(result):
            await result
    return out.getvalue()


def fits(printed: str, shown: str) -> bool:
    """True if that is what the page shows; "…" in it stands for anything."""
    pattern = ".*".join(re.escape(part) for part in shown.split("…"))
    return re.fullmatch(pattern, printed, re.DOTALL) is not None
