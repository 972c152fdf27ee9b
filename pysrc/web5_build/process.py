"""Running other programs, with their output kept for when they fail."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from web5_build.console import BuildError, Step
from web5_build.paths import WORK

LINES_SHOWN = 20


def run(
    current: Step,
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run a program to its end, showing its last line as the step's progress; its output, both streams together.

    Parameters:
        env: added to this process's environment.

    Raises:
        BuildError: it failed; the end of its output is in the message, all of it in a log.
    """
    words = [str(word) for word in command]
    with subprocess.Popen(
        words,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.strip():
                current.at(line.strip())
    output = "".join(lines)
    if process.returncode != 0:
        log = WORK / "logs" / (re.sub(r"[^a-z0-9]+", "-", current.title.lower()).strip("-") + ".log")
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(output)
        tail = "".join(f"\n    | {line.rstrip()}" for line in lines[-LINES_SHOWN:])
        raise BuildError(f"{Path(words[0]).name} {words[1] if words[1:] else ''} failed, see {log}{tail}")
    return output
