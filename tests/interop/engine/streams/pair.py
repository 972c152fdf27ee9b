"""The two engines under a stream: what each answered, and where they differ."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import copy
import json
import re
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.clocks import ManualClock
from tests.interop.engine.streams import authoring
from tests.interop.engine.streams.cast import Actor
from tests.interop.engine.streams.details import untold
from tests.interop.engine.streams.differences import (
    Comparable,
    asks_for_the_hidden,
    explained,
    outside,
    signer_named,
    stored,
)
from tests.interop.engine.streams.step import Message, Signed, Step
from tests.interop.engine.streams.world import START
from tests.interop.reference import ReferenceScript
from tests.unit.dwn.persons import our_dwn
from web5.crypto.encoding import b64url_decode
from web5.dwn import DataStream, Dwn

CODE = re.compile(r"([A-Z][A-Za-z0-9]+): ")


@dataclass
class Outcome:
    """What came of a step.

    Parameters:
        threw: what was thrown instead of a reply.
        events: the subscriptions' steps and what they were told, in order.
        ended: the subscriptions' steps that ended by themselves.
    """

    reply: Message = field(default_factory=dict)
    threw: str | None = None
    events: list[tuple[int, Message]] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)

    @property
    def code(self) -> str:
        """The status and the error code, such as `400 SchemaValidatorFailure`."""
        if self.threw is not None:
            return "threw"
        status = self.reply.get("status")
        if status is None:
            return "closed"
        found = CODE.match(status["detail"])
        return f"{status['code']} {found[1] if found else status['detail'] if status['code'] < 300 else ''}".rstrip()


def _untold(ours: Outcome, theirs: Outcome) -> list[str]:
    if not CODE.match(theirs.reply.get("status", {}).get("detail", "")):
        return []
    return untold(ours.reply["status"]["detail"], theirs.reply["status"]["detail"])


@dataclass(frozen=True)
class Difference:
    """Two answers to one step.

    Parameters:
        before: the steps that it takes to come to this, if they are known.
    """

    step: Step
    ours: Outcome
    theirs: Outcome
    before: Sequence[Step] = ()

    def __str__(self) -> str:
        lines = [
            *map(_shown, (*self.before, self.step)),
            f"ours:   {_short(self.ours)}",
            f"theirs: {_short(self.theirs)}",
            *(f"untold: {fact}" for fact in _untold(self.ours, self.theirs)),
        ]
        return "\n".join(lines)


def _shown(step: Step) -> str:
    data = "no data" if step.data is None else f"{len(step.data)} bytes"
    text = _readable(step.message)
    return f"--- step {step.number}: {step.what}, for …{step.tenant[-12:]}, {data}\n{text[:4000]}"


def _readable(message: Any) -> str:
    """The message with its signatures' payloads read, and the rest of them left out."""
    message = copy.deepcopy(message)
    for authorization in [message.get("authorization")] if isinstance(message, dict) else []:
        for name in ("signature", "ownerSignature") if isinstance(authorization, dict) else ():
            with contextlib.suppress(Exception):
                signer = json.loads(b64url_decode(authorization[name]["signatures"][0]["protected"]))["kid"]
                payload = json.loads(b64url_decode(authorization[name]["payload"]))
                authorization[name] = {"by": f"…{signer[-12:]}", "payload": payload}
    return json.dumps(message, indent=1)


def _short(outcome: Outcome) -> str:
    if outcome.threw is not None:
        return f"threw {outcome.threw[:300]} … {outcome.threw[-300:]}"
    return json.dumps({"reply": outcome.reply, "events": outcome.events}, default=str)[:3000]


async def run_theirs(reference: ReferenceScript, actors: Sequence[Actor], steps: Sequence[Step]) -> list[Outcome]:
    wire = await reference.call("run", persons=[actor.wire for actor in actors], steps=[step.wire for step in steps])
    return [
        Outcome(one.get("reply", {}), one.get("threw"), [(number, event) for number, event in one["events"]])
        for one in wire
    ]


class _Gate:
    """Refuses whom the present step says.

    Attributes:
        refused: the reasons by DID.
    """

    def __init__(self) -> None:
        self.refused: dict[str, str] = {}

    async def refusal(self, tenant: str) -> str | None:
        return self.refused.get(tenant)


class OurRun:
    """A stream on an engine of ours."""

    def __init__(self, dwn: Dwn, gate: _Gate) -> None:
        self._dwn = dwn
        self._gate = gate
        self._cursors: dict[int, Any] = {}
        self._subscriptions: dict[int, Any] = {}
        self._events: list[tuple[int, Message]] = []
        self._ended: list[int] = []

    @classmethod
    async def start(cls, clock: ManualClock | None = None, window_seconds: float | None = None) -> OurRun:
        """A run on a new engine.

        Parameters:
            clock: by default it stands still before all that a stream says, so that a question has the date it says.
            window_seconds: None: messages may have any date.
        """
        gate = _Gate()
        dwn = our_dwn(clock or ManualClock(START), tenant_gate=gate, window_seconds=window_seconds)
        await dwn.open()
        return cls(dwn, gate)

    async def outcome(self, step: Step) -> Outcome:
        try:
            return await self._answered(step)
        except Exception:
            return Outcome(threw=traceback.format_exc())

    async def _answered(self, step: Step) -> Outcome:
        self._events, self._ended = [], []
        self._gate.refused = step.refused
        if step.closes is not None:
            subscription = self._subscriptions.pop(step.closes, None)
            if subscription is not None:
                await subscription.close()
            return Outcome({"closed": True}, None, self._events)
        reply = await self._dwn.process_message(step.tenant, self._message(step), step.data, self._handler(step.number))
        data = reply.get("entry", {}).get("data")
        if isinstance(data, DataStream):
            reply["entry"]["data"] = base64.b64encode(await data.read()).decode()
        self._cursors[step.number] = reply.get("cursor")
        if "subscription" in reply:
            self._subscriptions[step.number] = reply["subscription"]
            reply["subscription"].on_end = lambda: self._ended.append(step.number)
            reply["subscription"] = {"id": reply["subscription"].id}
        return Outcome(reply, None, self._events, self._ended)

    def _handler(self, number: int) -> Any:
        return lambda event: self._events.append((number, event))

    def _message(self, step: Step) -> Any:
        cursor = None if step.cursor_of is None else self._cursors.get(step.cursor_of)
        if cursor is None:
            return step.message
        assert step.made is not None
        descriptor = dict(step.message["descriptor"])
        if descriptor["interface"] == "Messages":
            descriptor["cursor"] = cursor
        else:
            descriptor["pagination"] = {**descriptor["pagination"], "cursor": cursor}
        return authoring.plain(descriptor, step.made if "authorization" in step.message else None)


async def run_ours(steps: Iterable[Step]) -> list[Outcome]:
    run = await OurRun.start()
    return [await run.outcome(step) for step in steps]


def comparable(outcome: Outcome, step: Step) -> Comparable:
    """Everything but the words after the code (see `details`), and a log cursor, which only its own engine reads.

    Why the gate refuses a tenant is in the gate's words, so these count.
    """
    rest = {name: value for name, value in outcome.reply.items() if name != "status" and value is not None}
    if step.tenant in step.refused and "status" in outcome.reply:
        rest["detail"] = outcome.reply["status"]["detail"]
    if "log" in step.what and "cursor" in rest:
        rest["cursor"] = {"messageCid": rest["cursor"]["messageCid"]}
    return outcome.code, rest, sorted(outcome.events, key=lambda event: event[0])


class Judge:
    """Tells faults from intended differences, step by step.

    Attributes:
        parted: the steps whose message only one engine stored, as is intended.
    """

    def __init__(self) -> None:
        self.parted: list[int] = []
        self._excused: set[int | None] = set()
        self._asked: dict[int, Step] = {}

    def differs(self, step: Step, ours: Outcome, theirs: Outcome) -> bool:
        """A difference that nothing explains, or no reply of ours."""
        if ours.threw is not None:
            return True
        if theirs.threw is not None:
            # It threw where it should have replied; we reply, and not with a success.
            if asks_for_the_hidden(step) and ours.reply.get("entries") == []:
                return False
            return not 400 <= ours.reply["status"]["code"] < 500
        if asks_for_the_hidden(step):
            # The reference tells this subscription of everything.
            self._excused.add(step.number)
        self._asked[step.number] = step
        # What allowed these to listen is over; the reference goes on to tell them.
        self._excused.update(ours.ended)
        left, right = (self._without_excused(comparable(one, step)) for one in (ours, theirs))
        right = *right[:2], [event for event in right[2] if not self._is_outside(*event)]
        if left == right:
            return bool(_untold(ours, theirs))
        # Where one side had no cursor to go on from, they went different ways.
        if explained(step, left, right) is None and (step.cursor_of is None or step.cursor_of not in self._excused):
            return True
        self._excused.add(step.number)
        if stored(left) or stored(right):
            self.parted.append(step.number)
        return False

    def _without_excused(self, answer: Comparable) -> Comparable:
        """Not what a subscription was told that only one side allowed."""
        code, rest, events = answer
        return code, rest, [event for event in events if event[0] not in self._excused]

    def _is_outside(self, number: int, event: Message) -> bool:
        asked = self._asked[number]
        return signer_named(asked.message) != asked.tenant and outside(asked.message, event)


async def differences(
    reference: ReferenceScript, actors: Sequence[Actor], steps: Sequence[Step]
) -> tuple[list[Difference], list[Outcome]]:
    """Every step that the engines answer differently, and what ours answered to all of them.

    Where one engine stores on purpose what the other refuses, what follows may differ for no other reason. So if
    anything does, the stream runs again without those steps.
    """
    parted: dict[int, Outcome] = {}
    while True:
        sent = [step for step in steps if step.number not in parted]
        asked = asyncio.ensure_future(run_theirs(reference, actors, sent))
        ours = await run_ours(sent)
        theirs = await asked
        judge = Judge()
        found = [
            Difference(step, left, right)
            for step, left, right in zip(sent, ours, theirs, strict=True)
            if judge.differs(step, left, right)
        ]
        answers = parted | {step.number: outcome for step, outcome in zip(sent, ours, strict=True)}
        if not found or not judge.parted:
            return found, [answers[step.number] for step in steps]
        parted |= {number: answers[number] for number in judge.parted}


def can_be_authored(step: Step) -> bool:
    """The reference's classes can make such a message: with the parent's ID from its context, no needless grant, and no
    `encryption` but their own."""
    if step.made is None or step.what.startswith("bad") or "encryption" in step.message:
        return False
    descriptor = step.message["descriptor"]
    if descriptor["method"] == "Write":
        above = step.message.get("contextId", "").rpartition("/")[0]
        return bool(descriptor.get("parentId", "") == above.rpartition("/")[2])
    needless = descriptor["interface"] == "Records" and descriptor["method"] != "Read"
    return not needless or "permissionGrantId" not in step.made.claims


def wire_signing(message: Message, signed: Signed | None) -> Message:
    """What the reference's classes need to make a message like this."""
    if signed is None:
        return {"message": message}
    return {
        "message": message,
        **authoring.without_none(
            signer=signed.signer.index,
            claims=signed.claims,
            delegated=signed.delegated,
            attester=None if signed.attester is None else signed.attester.index,
            owner=None if signed.owner is None else signed.owner.index,
            ownerDelegated=signed.owner_delegated,
        ),
    }
