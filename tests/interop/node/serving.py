"""Our server as a real process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[3] / "pysrc"
START_SECONDS = 30.0


class EmbeddedServer:
    """`python -m web5.node serve` as a process with a data folder and a port that outlive it.

    Parameters:
        more: flags; without `--paths`, it has the DWNs that `build.py serve` has.
    """

    def __init__(self, data_dir: Path, site: Path | None = None, *more: str) -> None:
        paths = [] if "--paths" in more else ["--paths", "/dwn0,/dwn1"]
        self._arguments = ["--data", str(data_dir), *(["--site", str(site)] if site else []), *paths, *more]
        self._log = data_dir.with_suffix(".log")
        self._port = 0
        self.process: asyncio.subprocess.Process

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def log(self) -> str:
        return self._log.read_text()

    async def start(self) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "web5.node",
                "serve",
                "--port",
                str(self._port),
                *self._arguments,
                env={**os.environ, "PYTHONPATH": str(PACKAGE)},
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        async with asyncio.timeout(START_SECONDS):
            line = (await self.process.stdout.readline()).decode()
        assert line.startswith("Serving http://"), line + self.log
        self._port = int(line.rstrip("/\n").rpartition(":")[2])

    async def stop(self, number: int = signal.SIGTERM) -> int:
        """End it; its exit status."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        await self.process.communicate()
        return self.process.returncode

    async def __aenter__(self) -> EmbeddedServer:
        await self.start()
        return self

    async def __aexit__(self, kind, error, trace) -> None:
        await self.stop(signal.SIGKILL)
        if error is not None:
            print(self.log, file=sys.stderr)
