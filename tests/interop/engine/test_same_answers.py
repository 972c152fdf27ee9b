"""The reference engine and ours answer the same stream of messages alike, step by step."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from tests.interop.engine.scenario import Scenario, Step
from tests.interop.reference import ReferenceError, ReferenceScript
from tests.unit.dwn.persons import SteppingClock, our_engine, person

from web5.dwn import DataStream, Dwn

STEPS = 300
INVALID_SIGNATURE = (401, "GeneralJwsVerifierInvalidSignature")
CODE = re.compile(r"([A-Z][A-Za-z0-9]+): ")


def comparable(reply: dict[str, Any], what: str) -> dict[str, Any]:
    """Everything but the words after the code, and a log cursor, which only its own engine reads."""
    status = reply["status"]
    code = CODE.match(status["detail"])
    rest = {name: value for name, value in reply.items() if name != "status" and value is not None}
    if "log" in what and "cursor" in rest:
        rest["cursor"] = {"messageCid": rest["cursor"]["messageCid"]}
    detail = status["detail"] if status["code"] < 300 else (code[1] if code else "")
    return {"status": (status["code"], detail), **rest}


async def ask_ours(dwn: Dwn, step: Step) -> dict[str, Any]:
    reply = await dwn.process_message(step.tenant, step.message, step.data)
    data = reply.get("entry", {}).get("data")
    if isinstance(data, DataStream):
        reply["entry"]["data"] = base64.b64encode(await data.read()).decode()
    return reply


async def ask_theirs(reference: ReferenceScript, step: Step) -> dict[str, Any]:
    data = {} if step.data is None else {"data": base64.b64encode(step.data).decode()}
    message = step.message if step.theirs is None else step.theirs
    return await reference.call("process", tenant=step.tenant, message=message, **data)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_stream_of_messages(reference: ReferenceScript, seed: int) -> None:
    clock = SteppingClock()
    scenario = Scenario(seed, [await person(), await person("secp256k1"), await person("P-256")], clock)
    dwn = await our_engine(clock)
    for number in range(STEPS):
        step = await scenario.step()
        ours = await ask_ours(dwn, step)
        try:
            theirs = await ask_theirs(reference, step)
        except ReferenceError as error:
            # It threw where it should have replied; we reply, and not with a success.
            assert 400 <= ours["status"]["code"] < 500, (seed, number, step, str(error), ours["status"])
            continue
        left, right = comparable(ours, step.what), comparable(theirs, step.what)
        if left["status"] == INVALID_SIGNATURE and right["status"] == (401, ""):
            # Its libraries throw at a signature that is no pair of numbers; to us it is one more that does not hold.
            continue
        assert left == right, f"seed {seed}, step {number}, {step.what}: {explain(step, ours, theirs)}"
        scenario.saw(step, ours, theirs)


def explain(step: Step, ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    data = "no data" if step.data is None else f"{len(step.data)} bytes"
    return "\n".join((json.dumps(step.message, indent=1), data, f"ours: {ours}", f"theirs: {theirs}"))[:6000]
