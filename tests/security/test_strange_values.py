"""Any JSON value at any place of a valid message of any kind gets a reply: 2xx or 4xx, in few steps."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.security import scenes
from tests.security.effort import counted
from tests.security.examples import examples
from tests.security.mutants import OPTIONAL, at, paths, put
from tests.security.scenes import Maker, Scene
from tests.unit.dwn.persons import signed, signed_write

EXAMPLES = 30
MAX_STEPS = 20_000

TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        (*OPTIONAL, "\0", "\ud800", "\uffff", "/", "did:jwk:e30", "did:x:y#z", "http://[", "~", "9" * 5000)
    ),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from((2**53, 2**64, -(10**400), 1e308, -1e308, 0.1, -0.0)),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXTS,
)
VALUES = st.one_of(
    SCALARS.map(lambda value: [value] * 300),
    SCALARS.map(lambda value: {f"n{i}": value for i in range(300)}),
    st.recursive(
        SCALARS,
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
        max_leaves=6,
    ),
)


@st.composite
def strange(draw: st.DrawFn, message: Any) -> Any:
    """The message with another value at one or two places, a member's name among them."""
    for _ in range(draw(st.sampled_from((1, 1, 2)))):
        path = draw(st.sampled_from(list(paths(message))))
        value = draw(VALUES)
        if isinstance(at(message, path), dict) and draw(st.booleans()):
            value = {**at(message, path), draw(TEXTS): value}
        message = put(message, path, value)
    return message


@pytest.mark.parametrize("make", (*scenes.STORED, *scenes.ASKED), ids=lambda make: make.__name__)
def test_every_value_gets_a_reply(make: Maker) -> None:
    """Under the old signature and, where it can be made, under one of Alice's over what there is now."""
    with asyncio.Runner() as runner:
        scene = runner.run(_prepare(make))

        @examples(EXAMPLES)
        @given(strange(scene.message))
        def one(message: Any) -> None:
            runner.run(_check(scene, message))

        one()


async def _prepare(make: Maker) -> Scene:
    return await make(await scenes.start("Ed25519"))


async def _check(scene: Scene, message: Any) -> None:
    world = scene.world
    attempts = [message]
    try:
        sign = signed_write if "recordId" in scene.message else signed
        attempts.append(await sign(world.alice.signer, message))
    except Exception:  # it has no descriptor that can be signed
        pass
    for attempt in attempts:
        with counted(world.dwn) as effort:
            answer = await world.send(attempt, scene.data, subscription_handler=print)
        code = answer["status"]["code"]
        assert 200 <= code < 500, answer
        assert effort.steps < MAX_STEPS
        if "subscription" in answer:
            await answer["subscription"].close()
