"""Guesses at a password: the first are free, the next wait longer and longer."""

from __future__ import annotations

import asyncio

import pytest

from web5.agent.vault.guesses import FREE, LONGEST, Guesses
from web5.errors import VaultLocked, WrongPassword


class Pauses:
    """The pauses that were made, each of which is over at once."""

    def __init__(self) -> None:
        self.made: list[float] = []
        self.guesses = Guesses(self._pause)

    async def _pause(self, seconds: float) -> None:
        self.made.append(seconds)

    async def wrong(self) -> None:
        with pytest.raises(WrongPassword):
            async with self.guesses.one():
                raise WrongPassword("no")


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


async def test_each_wrong_one_makes_the_next_wait_longer(pauses: Pauses) -> None:
    for _ in range(FREE):
        await pauses.wrong()
    assert pauses.made == []
    for _ in range(10):
        await pauses.wrong()
    assert pauses.made == [1, 2, 4, 8, 16, 32, LONGEST, LONGEST, LONGEST, LONGEST]


async def test_the_right_one_waits_too_and_ends_it(pauses: Pauses) -> None:
    for _ in range(FREE + 1):
        await pauses.wrong()
    async with pauses.guesses.one():
        pass
    assert pauses.made == [1, 2]
    for _ in range(FREE):
        await pauses.wrong()
    assert pauses.made == [1, 2]


async def test_other_failures_count_for_nothing(pauses: Pauses) -> None:
    for _ in range(FREE):
        await pauses.wrong()
    with pytest.raises(VaultLocked):
        async with pauses.guesses.one():
            raise VaultLocked("meanwhile")
    assert pauses.made == [1]
    await pauses.wrong()
    assert pauses.made == [1, 1]


async def test_those_that_come_at_once_wait_for_one_another(pauses: Pauses) -> None:
    await asyncio.gather(*(pauses.wrong() for _ in range(FREE + 3)))
    assert pauses.made == [1, 2, 4]
