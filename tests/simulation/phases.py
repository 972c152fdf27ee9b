"""The phases that all simulations have: time that passes, chaos, and the end of what was to be done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from random import Random
from typing import Any

Lives = list[asyncio.Task[None]]
"""The lives of all devices: one ends if its device has failed."""


async def let_pass(seconds: float, lives: Lives) -> None:
    """Let time pass; a device that has failed ends the simulation."""
    ended, _ = await asyncio.wait(lives, timeout=max(0.0, seconds))
    for life in ended:
        life.result()


async def chaos(
    world: Any,
    lives: Lives,
    days: Iterable[Coroutine[Any, Any, None]],
    incidents: Mapping[str, Callable[[Any, Random], Coroutine[Any, Any, None]]],
    end: Callable[[Any], None],
    given_up: float,
) -> None:
    """Have what is planned be done, and go wrong.

    Parameters:
        days: what is done on each device.
        incidents: by the names that the plan has.
        end: ends all that is wrong.
        given_up: seconds after which nothing is waited for.
    """
    tasks = [asyncio.create_task(day) for day in days]
    begun = asyncio.get_running_loop().time()
    for moment, what in world.plan.incidents:
        await let_pass(begun + moment - asyncio.get_running_loop().time(), lives)
        tasks.append(asyncio.create_task(incidents[what](world, world.random(f"{what} at {moment}"))))
    await let_pass(begun + world.plan.seconds - asyncio.get_running_loop().time(), lives)
    await asyncio.wait_for(asyncio.gather(*tasks), given_up)
    end(world)
    world.story.add("world", "is at peace from now on")


async def all_done(world: Any, lives: Lives, given_up: float) -> None:
    """Return once nothing is left to be done on any device.

    Raises:
        TimeoutError: something is, after so many seconds.
    """
    deadline = asyncio.get_running_loop().time() + given_up
    while stuck := [device.name for device in world.devices if device.todo or device.busy or not device.up]:
        await let_pass(10, lives)
        if asyncio.get_running_loop().time() > deadline:
            raise TimeoutError(f"{', '.join(stuck)}: what was to be done is not done after {given_up:.0f} s of peace")
