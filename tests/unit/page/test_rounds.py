"""Work of the page that is asked for more often than it can be done."""

from __future__ import annotations

import asyncio

import pytest

from web.ui.kit.rounds import Rounds


async def test_calls_that_come_meanwhile_make_one_more_round() -> None:
    done, may_go_on = [], asyncio.Event()

    async def work() -> None:
        done.append("round")
        await may_go_on.wait()

    rounds = Rounds(work)
    first = asyncio.create_task(rounds.run())
    await asyncio.sleep(0)
    for _ in range(10):
        await rounds.run()
    assert done == ["round"]
    may_go_on.set()
    await first
    assert done == ["round", "round"]
    await rounds.run()
    assert len(done) == 3


async def test_work_that_fails_may_be_asked_for_again() -> None:
    done = []

    async def work() -> None:
        done.append("round")
        if len(done) == 1:
            raise RuntimeError("no")

    rounds = Rounds(work)
    with pytest.raises(RuntimeError):
        await rounds.run()
    await rounds.run()
    assert len(done) == 2
