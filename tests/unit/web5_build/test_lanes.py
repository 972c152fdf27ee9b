"""The runner of `build.py test`: two lanes, readable output, counts, the right exit status, and an end on request."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from pathlib import Path

import pytest

from web5_build.lanes import count, in_words
from web5_build.paths import PYSRC

RUNNER = """
import asyncio, os, sys
from pathlib import Path
from web5_build.lanes import Suite, run

def pytest_of(name, code):
    path = Path("tests", name, f"test_{name}.py")
    path.parent.mkdir(parents=True)
    path.write_text(code)
    return Suite(name, [[sys.executable, "-m", "pytest", "-p", "no:cacheprovider", path]], Path("logs", name))

def program(name, *codes, is_pytest=True):
    return Suite(name, [[sys.executable, "-c", code] for code in codes], Path("logs", name), is_pytest=is_pytest)

sys.exit(asyncio.run(run([LANES], cwd=Path.cwd(), env=os.environ)))
"""
PASSES = "def test_one(): pass\ndef test_two(): pass\n"
FAILS = "def test_good(): pass\ndef test_bad():\n    print('what it printed')\n    assert 'seen' == 'wanted'\n"
SAYS_TWO = "print('===== 2 passed in 0.01s =====')"
WAITS = """
import pathlib, time
def test_waits():
    try:
        pathlib.Path("NAME.began").touch()
        time.sleep(60)
    finally:
        pathlib.Path("NAME.ended").touch()
def test_never(): pass
"""


async def _start(folder: Path, *lanes: str) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", RUNNER.replace("LANES", ", ".join(f"[{lane}]" for lane in lanes))),
        cwd=folder,
        # The suites in here need none of pytest's plugins, which take a second to load.
        env={**os.environ, "PYTHONPATH": str(PYSRC), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdout=PIPE,
        stderr=STDOUT,
    )


async def _run(folder: Path, *lanes: str) -> tuple[int | None, str]:
    process = await _start(folder, *lanes)
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def test_all_pass(tmp_path: Path) -> None:
    lanes = [f"program('a', {SAYS_TWO!r}), program('b', {SAYS_TWO!r})", f"program('c', {SAYS_TWO!r})"]
    status, output = await _run(tmp_path, *lanes)
    assert status == 0
    assert output.splitlines()[-1] == "6 passed, 0 failed"
    for name in "abc":
        assert re.search(rf"^{name} +[\d.]+   2 passed, 0 failed$", output, re.MULTILINE)


async def test_a_lane_that_is_through_goes_on_with_what_another_has_left(tmp_path: Path) -> None:
    begin = f"open('began', 'w'); {SAYS_TWO}"
    wait = f"""
import os, time
end = time.monotonic() + 60
while not os.path.exists('began') and time.monotonic() < end: time.sleep(0.05)
assert os.path.exists('began')
{SAYS_TWO}
"""
    status, output = await _run(
        tmp_path, f"program('a', {SAYS_TWO!r})", f"program('b', {wait!r}), program('c', {begin!r})"
    )
    assert (status, output.splitlines()[-1]) == (0, "6 passed, 0 failed")


async def test_a_failure_is_shown_in_full_at_the_end_and_the_others_run_all_the_same(tmp_path: Path) -> None:
    status, output = await _run(
        tmp_path, f"pytest_of('a', {FAILS!r}), program('b', {SAYS_TWO!r})", f"pytest_of('c', {PASSES!r})"
    )
    assert status == 1
    assert output.splitlines()[-1] == "5 passed, 1 failed"
    assert "        FAILED tests/a/test_a.py::test_bad" in output
    _, _, details = output.partition("======== a")
    assert "what it printed" in details
    assert "assert 'seen' == 'wanted'" in details
    assert "test session starts" not in output
    assert "test session starts" in (tmp_path / "logs" / "c").read_text()


async def test_checks_count_one_by_one_and_all_run(tmp_path: Path) -> None:
    checks = """program('checks', 'print("not nice"); exit(1)', 'pass', is_pytest=False)"""
    status, output = await _run(tmp_path, checks)
    assert (status, output.splitlines()[-1]) == (1, "1 passed, 1 failed")
    assert "not nice" in output


async def test_a_suite_that_does_not_get_to_its_end_is_an_error(tmp_path: Path) -> None:
    lanes = ["program('a', 'import os; os._exit(7)')", f"program('b', {SAYS_TWO!r})"]
    status, output = await _run(tmp_path, *lanes)
    assert (status, output.splitlines()[-1]) == (1, "2 passed, 0 failed, 1 error")


async def test_only_if_no_suite_has_a_test_that_is_selected_it_fails(tmp_path: Path) -> None:
    nothing = "program('a', 'print(\"5 deselected in 0.01s\"); exit(5)')"
    status, output = await _run(tmp_path, nothing, f"program('b', {SAYS_TWO!r})")
    assert (status, output.splitlines()[-1]) == (0, "2 passed, 0 failed")
    status, output = await _run(tmp_path, nothing)
    assert (status, output.splitlines()[-1]) == (5, "0 passed, 0 failed")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_an_interrupt_ends_both_lanes(tmp_path: Path, how: signal.Signals) -> None:
    a, b = (f"pytest_of('{name}', {WAITS.replace('NAME', name)!r})" for name in "ab")
    process = await _start(tmp_path, f"{a}, program('c', {SAYS_TWO!r})", b)
    async with asyncio.timeout(60):
        while not all((tmp_path / f"{name}.began").exists() for name in "ab"):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        os.kill(process.pid, how)
        output = (await process.communicate())[0].decode()
    assert process.returncode == 130
    assert all((tmp_path / f"{name}.ended").exists() for name in "ab")
    assert re.search(r"^c +not run$", output, re.MULTILINE)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("== 3 failed, 117 passed, 2 skipped, 9 deselected in 27.45s ==", "117 passed, 3 failed, 2 skipped"),
        ("2 passed in 0.01s", "2 passed, 0 failed"),
        ("======== 1 passed, 2 errors in 71.20s (0:01:11) ========", "1 passed, 0 failed, 2 errors"),
        ("== 5 deselected in 0.01s ==", "0 passed, 0 failed"),
        ("what a test says: 4 passed", "0 passed, 0 failed"),
    ],
)
def test_counts_are_read_from_the_last_line_of_pytest(line: str, words: str) -> None:
    assert in_words(count(f"9 passed in 1.00s of an inner run\n{line}\n" if "in " in line else line)) == words
