"""Tasks and callbacks for which nobody waits."""

from __future__ import annotations

import asyncio
import gc

import pytest

from web5.tasks import TaskSet, first_of, notify, outlasting


def reports() -> list[str]:
    found: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context["message"]))
    return found


async def _fail() -> None:
    raise RuntimeError("a fault")


class Endless:
    """Work that ends only by being cancelled."""

    def __init__(self) -> None:
        self.begun, self.cancelled = asyncio.Event(), asyncio.Event()

    async def work(self) -> None:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()


async def test_a_task_that_fails_is_reported() -> None:
    found, tasks = reports(), TaskSet("it failed")
    tasks.start(_fail())
    await tasks.join()
    assert found == ["it failed"]


async def test_a_task_takes_the_place_of_the_one_of_its_name() -> None:
    found, tasks = reports(), TaskSet()
    first, second, other = Endless(), Endless(), Endless()
    for one, name in ((first, "a"), (other, None), (second, "a")):
        tasks.start(one.work(), name)
        await one.begun.wait()
    await first.cancelled.wait()
    assert not second.cancelled.is_set() and not other.cancelled.is_set()
    await tasks.cancel()
    assert second.cancelled.is_set() and other.cancelled.is_set()
    assert found == []


async def test_the_first_of_several_ends_the_others() -> None:
    endless, begun = Endless(), asyncio.Event()

    async def quick() -> None:
        await endless.begun.wait()
        begun.set()

    await first_of(endless.work(), quick())
    assert begun.is_set()
    await endless.cancelled.wait()


async def test_a_callback_that_fails_stops_no_other() -> None:
    found, called = reports(), list[str]()

    def fail(text: str) -> None:
        raise RuntimeError(text)

    notify("a callback failed", [fail, called.append], "news")
    assert (found, called) == (["a callback failed"], ["news"])


@pytest.mark.parametrize("fails", [False, True])
async def test_work_in_a_thread_is_waited_for_however_often_its_caller_is_cancelled(fails: bool) -> None:
    """The server's task groups cancel again at each turn of the loop: the file that is in use would be closed."""
    found, work, working = reports(), asyncio.get_running_loop().create_future(), set[asyncio.Future[None]]()
    caller = asyncio.create_task(outlasting(work, working))
    for _ in range(3):
        await asyncio.sleep(0)
        caller.cancel()
    await asyncio.sleep(0)
    assert not caller.done() and working == {work}
    work.set_exception(OSError("a fault")) if fails else work.set_result(None)
    with pytest.raises(asyncio.CancelledError):
        await caller
    del work, caller
    gc.collect()
    assert found == [] and working == set()
