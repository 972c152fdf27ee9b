"""Test suites in lanes: the lanes run side by side, the suites of a lane one after the other.

A lane that is through helps the others: it goes on with the next suite of whichever has most left.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from web5_build.console import Step, say, step

LOOK_SECONDS = 1.0
"""Between looks at how far the suites are."""
GRACE_SECONDS = 30.0
"""For a suite to end its servers and browsers once it is interrupted; then it is killed."""

INTERRUPTED = 130
PYTEST_INTERRUPTED = 2
NOTHING_SELECTED = 5
"""Pytest's exit status if no test fits the options."""

_COUNTS = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed)\b")
_SUMMARY = re.compile(r"\d+ (passed|failed|errors?|skipped|xfailed|xpassed|deselected)\b.* in [\d.]+s")
_PERCENT = re.compile(r"\[ *(\d+)%\]")
_DETAILS = re.compile(r"^=+ (?:ERRORS|FAILURES) =+$", re.MULTILINE)
_FAILED = re.compile(r"^(?:FAILED|ERROR) tests/.*$", re.MULTILINE)

Commands = Sequence[Sequence[str | Path]]


@dataclass
class Suite:
    """A test suite, and once it has run, how that ended.

    Parameters:
        commands: the programs that it is; all run, whatever the ones before say.
        log: the file for their output.
        is_pytest: the output ends with counts; otherwise every command counts as one test.

    Attributes:
        seconds: that it took; None until it has ended.
    """

    name: str
    commands: Commands
    log: Path
    is_pytest: bool = True
    status: int = 0
    seconds: float | None = None
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    @property
    def details(self) -> str:
        """The output from the first failure on; all of it, if it does not say where that is."""
        output = self.output
        found = _DETAILS.search(output)
        return output[found.start() :] if found else output

    @property
    def progress(self) -> str:
        with suppress(OSError), self.log.open("rb") as log:
            log.seek(-min(self.log.stat().st_size, 4096), os.SEEK_END)
            if found := _PERCENT.findall(log.read().decode(errors="replace")):
                return f"{self.name} {found[-1]} %"
        return self.name

    def ended(self, statuses: Sequence[int], seconds: float) -> None:
        self.seconds = seconds
        self.status = max((abs(status) for status in statuses), default=0)
        if self.is_pytest:
            self.counts = count(self.output)
            if self.status == NOTHING_SELECTED:
                self.status = 0
        else:
            self.counts = Counter("failed" if status else "passed" for status in statuses)
        if self.status not in (0, PYTEST_INTERRUPTED) and not self.counts["failed"] + self.counts["errors"]:
            self.counts["errors"] += 1  # it crashed before it could say


def count(output: str) -> Counter[str]:
    """Return how many tests passed, failed and so on, by the last line of pytest's that says so."""
    counts: Counter[str] = Counter()
    for line in reversed(output.splitlines()):
        if _SUMMARY.search(line):
            for number, kind in _COUNTS.findall(line):
                counts["errors" if kind == "error" else kind] += int(number)
            break
    return counts


def in_words(counts: Mapping[str, int]) -> str:
    """Return counts as pytest puts them, for example "12 passed, 0 failed, 1 error"."""
    shown = {"passed": 0, "failed": 0, **{kind: number for kind, number in counts.items() if number}}
    words = ", ".join(f"{number} {kind}" for kind, number in shown.items())
    return re.sub(r"\b1 errors", "1 error", words)


async def run(lanes: Sequence[Sequence[Suite]], *, cwd: Path, env: Mapping[str, str]) -> int:
    """Run all suites and report on them; the exit status.

    An interrupt (SIGINT, SIGTERM, SIGHUP) is passed on to the suites that are running, and no other one begins. A
    second one kills them.
    """
    started = time.monotonic()
    suites = [suite for lane in lanes for suite in lane]
    with step(f"Tests: {', '.join(suite.name for suite in suites)}") as current:
        runner = _Runner(current, cwd, env)
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        for number in signals:
            loop.add_signal_handler(number, runner.stop)
        watching = asyncio.create_task(runner.watch(suites))
        try:
            await runner.run(lanes)
        finally:
            watching.cancel()
            for number in signals:
                loop.remove_signal_handler(number)
    _report(suites, time.monotonic() - started)
    if runner.stopped:
        return INTERRUPTED
    if not sum(sum(suite.counts.values()) for suite in suites):
        return NOTHING_SELECTED
    return max(min(suite.status, 1) for suite in suites)


class _Runner:
    def __init__(self, current: Step, cwd: Path, env: Mapping[str, str]) -> None:
        self._step = current
        self._cwd = cwd
        self._env = env
        self._running: set[Process] = set()
        self.stopped = False

    def stop(self) -> None:
        for process in self._running:
            if self.stopped:
                _kill(process)
            else:
                process.send_signal(signal.SIGINT)
                asyncio.get_running_loop().call_later(GRACE_SECONDS, _kill, process)
        if not self.stopped:
            self._step.say("    interrupted; waiting for the tests to end their servers and browsers")
        self.stopped = True

    async def run(self, lanes: Sequence[Sequence[Suite]]) -> None:
        left = [deque(lane) for lane in lanes]
        await asyncio.gather(*(self._lane(own, left) for own in left))

    async def _lane(self, own: deque[Suite], left: Sequence[deque[Suite]]) -> None:
        while not self.stopped and (suites := own or max(left, key=len)):
            await self._suite(suites.popleft())

    async def _suite(self, suite: Suite) -> None:
        started = time.monotonic()
        suite.log.parent.mkdir(parents=True, exist_ok=True)
        suite.log.unlink(missing_ok=True)
        statuses = [await self._program(command, suite.log) for command in suite.commands if not self.stopped]
        suite.ended(statuses, time.monotonic() - started)
        self._step.say(f"    {suite.name}: {in_words(suite.counts)} in {suite.seconds:.1f} s")
        for line in _FAILED.findall(suite.output):
            self._step.say(f"        {line}")

    async def _program(self, command: Sequence[str | Path], log: Path) -> int:
        with log.open("ab") as output:
            # In a session of its own: Ctrl-C reaches it once, by way of `stop`, and not its servers.
            process = await asyncio.create_subprocess_exec(
                *map(str, command),
                cwd=self._cwd,
                env=self._env,
                stdin=DEVNULL,
                stdout=output,
                stderr=STDOUT,
                start_new_session=True,
            )
            self._running.add(process)
            try:
                return await process.wait()
            finally:
                self._running.discard(process)

    async def watch(self, suites: Sequence[Suite]) -> None:
        """Show how far the suites are."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._step.at(", ".join(suite.progress for suite in suites if suite.seconds is None and suite.log.exists()))


def _kill(process: Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _report(suites: Sequence[Suite], seconds: float) -> None:
    for suite in suites:
        if suite.status:
            say(f"\n======== {suite.name}, all of its output is in {suite.log}\n\n{suite.details.rstrip()}")
    say(f"\n{'suite':12} {'seconds':>8}")
    for suite in suites:
        if suite.seconds is None:
            say(f"{suite.name:12} {'':8}   not run")
        else:
            say(f"{suite.name:12} {suite.seconds:8.1f}   {in_words(suite.counts)}")
    say(f"{'in all':12} {seconds:8.1f}")
    total = sum((suite.counts for suite in suites), Counter[str]())
    say(f"\n{in_words(total)}")
