"""No change to a signed message leaves one that is taken under another CID."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from hypothesis import given

from tests.security import scenes
from tests.security.examples import examples
from tests.security.mutants import Mutant, mutants
from tests.security.scenes import Maker, Scene
from web5.dwn.values.cid import message_cid
from web5.errors import Web5Error

CURVES = ("Ed25519", "secp256k1", "P-256")
EXAMPLES = 30
TRIED: Counter[str] = Counter()
"""Mutants by what came of them."""


def cid_of(message: Any) -> str | None:
    """The CID, if it has one."""
    try:
        return message_cid(message)
    except (Web5Error, TypeError, AttributeError, ValueError, RecursionError):
        return None


def each(make: Maker, curve: str, check: Any) -> None:
    """Check many mutants of one message, on one engine."""
    with asyncio.Runner() as runner:
        scene, others = runner.run(_prepare(make, curve))

        # Of parts of another valid message, that message itself can be put together again: it is nobody's mutant.
        valid = {cid_of(message) for message in (scene.message, *others)}

        @examples(EXAMPLES)
        @given(mutants(scene.message, others))
        def one(mutant: Mutant) -> None:
            if cid_of(mutant.message) not in valid:
                runner.run(check(scene, mutant))

        one()


async def _prepare(make: Maker, curve: str) -> tuple[Scene, list[Any]]:
    """A scene, and valid messages of the same persons, and of a stranger, to take parts from."""
    world = await scenes.start(curve)
    others = [(await maker(world)).message for maker in (*scenes.STORED, *scenes.ASKED) if maker is not make]
    return await make(world), others


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("make", scenes.STORED, ids=lambda make: make.__name__)
def test_what_is_stored_has_no_second_form(make: Maker, curve: str) -> None:
    """Neither with its data nor without is a mutant stored, and what Alice reads stays as it is."""

    async def check(scene: Scene, mutant: Mutant) -> None:
        before = await scene.state()
        for data in (None, b"hello", scene.data):
            answer = await scene.world.send(mutant.message, data)
            status = answer["status"]
            TRIED[str(status["code"])] += 1
            assert status["code"] >= 400 or is_question(mutant.message), (mutant.how, status)
        assert await scene.state() == before

    each(make, curve, check)


def is_question(message: Any) -> bool:
    """A part was taken from a question, which shows nothing that it did not show before."""
    method = message["descriptor"]["method"]
    return method in ("Query", "Read", "Subscribe")


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("make", scenes.ASKED, ids=lambda make: make.__name__)
def test_a_question_has_no_second_form(make: Maker, curve: str) -> None:
    """A mutant shows nothing but what anybody may see.

    Of P-256 the reference makes and takes both S, and takes DER; a question is not stored, so nothing is lost by it.
    """

    async def check(scene: Scene, mutant: Mutant) -> None:
        if curve == "P-256" and mutant.respelled:
            return
        before = await scene.state()
        heard: list[Any] = []
        answer = await scene.world.send(mutant.message, subscription_handler=heard.append)
        TRIED[str(answer["status"]["code"])] += 1
        assert not shows_what_is_hidden(answer), (mutant.how, answer)
        if "subscription" in answer:
            await scene.world.write()  # private
            await answer["subscription"].close()
            assert heard == [], mutant.how
        else:
            assert await scene.state() == before

    each(make, curve, check)


def shows_what_is_hidden(answer: Any) -> bool:
    found = [*answer.get("entries", ()), *([answer["entry"]] if "entry" in answer else ())]
    return not all(isinstance(one, dict) and _descriptor(one).get("published") is True for one in found)


def _descriptor(entry: Any) -> Any:
    return entry.get("recordsWrite", entry).get("descriptor", {})
