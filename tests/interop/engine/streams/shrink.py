"""Delta debugging: the fewest steps of a stream that still make the engines differ in the same way."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Sequence

from tests.interop.engine.streams.cast import Actor
from tests.interop.engine.streams.pair import Difference, differences
from tests.interop.engine.streams.step import Step
from tests.interop.reference import ReferenceScript

Fails = Callable[[list[Step]], Awaitable[bool]]


def kind(difference: Difference) -> tuple[str, str, str]:
    """What makes two differences the same fault."""
    return difference.step.what, difference.ours.code, difference.theirs.code


async def shrink(steps: Sequence[Step], fails: Fails) -> list[Step]:
    """A part of the steps, in their order, that fails, and no longer does if any one step is dropped.

    Parameters:
        fails: whether a part of the steps fails; it does for all of them.
    """
    kept = list(steps)
    size = max(len(kept) // 2, 1)
    while True:
        before = len(kept)
        start = 0
        while start < len(kept):
            part = kept[:start] + kept[start + size :]
            if part and await fails(part):
                kept = part
            else:
                start += size
        if size == 1 and len(kept) == before:
            return kept
        size = max(size // 2, 1)


async def smallest(
    reference: ReferenceScript, actors: Sequence[Actor], steps: Sequence[Step], found: Difference
) -> Difference:
    """The same difference after as few steps as possible; `before` has the ones that it needs."""
    wanted = kind(found)
    seen = [found]

    async def fails(part: list[Step]) -> bool:
        again, _ = await differences(reference, actors, part)
        same = [difference for difference in again if kind(difference) == wanted]
        seen.extend(same[:1])
        return bool(same)

    upto = list(steps[: steps.index(found.step) + 1])
    if not await fails(upto):
        return found
    kept = await shrink(upto, fails)
    await fails(kept)
    return dataclasses.replace(seen[-1], before=kept[:-1])
