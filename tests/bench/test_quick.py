"""Each bench runs to its end in a small size, and its figures are there; a bench that is stopped shows what it has."""

from __future__ import annotations

import asyncio
import json
import math
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

import pytest

from tests.bench.node import sizes, soak

RUN = Path(__file__).with_name("run.py")
STOPPED = 130

SYNC = {
    "first sync of 8": ("s", "requests a record"),
    "push of 8": ("s", "requests a record"),
    "edit seen elsewhere": ("p50, s", "p95, s"),
    "an idle hour, every 2 minutes": ("requests", "kB"),
}
OURS_ALONE = {
    "first sync of 16": ("s", "requests a record"),
    "first sync of 16: signatures": ("ms a record",),
    "first sync of 16: flush": ("ms a record",),
    "push rate": ("of a bare replay's",),
    "an idle hour, live": ("requests", "kB"),
}


async def _start(*arguments: str) -> Process:
    return await asyncio.create_subprocess_exec(sys.executable, str(RUN), *arguments, stdout=PIPE, stderr=PIPE)


async def _figures(name: str, folder: Path) -> tuple[Any, str]:
    """Run one bench; its raw figures and what it printed."""
    out = folder / "tables" / "bench.txt"
    process = await _start("--quick", "--only", name, "--out", str(out))
    printed, complaints = await process.communicate()
    assert process.returncode == 0, complaints.decode()
    assert out.read_text() == printed.decode()
    return json.loads(out.with_suffix(".json").read_text())[name], printed.decode()


def _is_figure(value: float) -> bool:
    return math.isfinite(value) and value >= 0


async def test_app(site: Path, tmp_path: Path) -> None:
    rows, printed = await _figures("app", tmp_path)
    names = [row["name"] for row in rows]
    assert len(names) == len(set(names)) == 9
    for row in rows:
        assert all(_is_figure(row[side]) for side in ("ours", "peer") if side in row), row
    assert [set(row) - {"name"} for row in rows].count({"ours", "peer"}) == 4
    for row in rows:
        assert row["name"] in printed


async def test_start(site: Path, tmp_path: Path) -> None:
    rows, printed = await _figures("start", tmp_path)
    sides: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        assert all(_is_figure(ms) for ms in row["ms"]), row
        assert row["what"] in printed
        sides.setdefault((row["what"], row["visit"]), set()).add(row["side"])
    first, slow, again, later = "first visit", "first visit, slow line", "later, without a snapshot", "later"
    for what in ("node ready", "page painted"):
        assert all(sides[what, visit] == {"ours", "peer"} for visit in (first, slow, later))
        assert sides[what, again] == {"ours"}
    ours = (first, slow, again, later, "first visit, slowed", "later, slowed")
    assert all(sides["page answering", visit] == {"ours"} for visit in ours)
    imported = {row["visit"]: row["ms"][0] for row in rows if row["what"] == "everything imported"}
    started = {row["visit"]: row["ms"][0] for row in rows if row["what"] == "Python started or restored"}
    assert imported.keys() == started.keys() == set(ours)


async def test_sync(site: Path, tmp_path: Path) -> None:
    figures, printed = await _figures("sync", tmp_path)
    sides: dict[str, set[str]] = {}
    for figure in figures:
        assert _is_figure(figure["value"]), figure
        sides.setdefault(figure["name"], set()).add(figure["side"])
    for table, expected in ((SYNC, {"ours", "peer"}), (OURS_ALONE, {"ours"})):
        for what, several in table.items():
            for of_it in several:
                assert sides.get(f"{what}, {of_it}") == expected
                assert f"{what}, {of_it}" in printed
    assert "web5-py live" in printed


async def test_engine(site: Path, tmp_path: Path) -> None:
    rows, printed = await _figures("engine", tmp_path)
    assert len(rows) == 10
    for row in rows:
        assert len(row["per_second"]) == 4, row
        assert all(value > 0 for value in row["per_second"].values()), row
        assert row["name"] in printed


async def test_scale(site: Path, tmp_path: Path) -> None:
    rows, printed = await _figures("scale", tmp_path)
    asked = {"status()", "unsettled()", "the page's state", "the page's 50 notes"}
    done = {"a write", "a note of the first sync", "a visit with nothing to do"}
    for platform, names in (("CPython", asked | done), ("Chromium", asked), ("the page", done)):
        here = [row for row in rows if row["platform"] == platform]
        assert {row["name"] for row in here} >= names
        assert len({row["notes"] for row in here}) == 2
        assert all(f"{name}, {platform}" in printed for name in names)
    assert {row["name"] for row in rows if row["platform"] == "a later visit"} == {
        "until notes are shown",
        "memory of its process, MB",
    }
    assert all(_is_figure(row["ms"]) for row in rows)


async def test_node(tmp_path: Path) -> None:
    rows, printed = await _figures("node", tmp_path)
    names = {"write", "read", "query", "write, 1 MB", "read, 1 MB", "query of 30", "event"}
    assert len(rows) == 5 * len(names)
    assert {row["name"] for row in rows} == names
    for row in rows:
        assert row["per_second"] > 0, row
        assert 0 < row["p50"] <= row["p99"], row
        assert row["server"] in printed


async def test_sizes_of_a_node(capsys: pytest.CaptureFixture[str]) -> None:
    found = await sizes.measure(tenants=10, records=2, data=100, sockets=2, memory=1000, database=None)
    assert [size.tenants for size in found] == [*range(11), 10]
    assert all(0 < size.memory <= size.most and size.disk > 0 for size in found)
    assert len(capsys.readouterr().out.splitlines()) == len(found) + 1
    assert "a tenant:" in sizes.slopes(found)
    with pytest.raises(sizes.TooLarge):
        await sizes.measure(tenants=1, records=1, data=1, sockets=0, memory=1, database=None)


async def test_a_node_under_load(capsys: pytest.CaptureFixture[str]) -> None:
    minutes, sockets, rate = soak.QUICK.values()
    found = await soak.measure(minutes, int(sockets), rate, None)
    assert len(found.minutes) == 5 and len(found.samples) == soak.SAMPLES
    assert all(minute.took and 0 < minute.memory <= minute.most and minute.disk > 0 for minute in found.minutes)
    assert len(capsys.readouterr().out.splitlines()) == 6
    assert "MB an hour" in found.summary()
    assert soak.fitted([(0, 1000), (1800, 2500), (3600, 4000)]) == pytest.approx((3000, 0))
    with pytest.raises(soak.NoSlope):
        soak.fitted([(0, 1), (1, 1)])


async def test_tabs(site: Path, tmp_path: Path) -> None:
    rows, printed = await _figures("tabs", tmp_path)
    assert len(rows) == 8
    for row in rows:
        assert row["value"] > 0, row
        assert row["name"] in printed


async def test_use(site: Path, tmp_path: Path) -> None:
    rows, printed = await _figures("use", tmp_path)
    assert len(rows) == 34
    for row in rows:
        assert _is_figure(row["value"]), row
        assert row["name"] in printed


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_what_is_stopped_shows_what_it_has(how: signal.Signals, site: Path, tmp_path: Path) -> None:
    out = tmp_path / "bench.txt"
    process = await _start("--quick", "--only", "engine", "--out", str(out))
    assert process.stderr is not None
    async for line in process.stderr:
        if b"dwn-sdk-js, Node" in line:
            break
    os.kill(process.pid, how)
    printed, _ = await process.communicate()
    assert process.returncode == STOPPED
    assert out.read_text() == printed.decode()
    assert "not to its end" in printed.decode()
    rows = json.loads(out.with_suffix(".json").read_text())["engine"]
    assert {row["name"] for row in rows} >= {"write", "read"}
    assert all(row["per_second"]["web5-py, CPython"] > 0 for row in rows)
