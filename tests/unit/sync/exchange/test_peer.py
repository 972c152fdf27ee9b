"""A message that a delegate may see under one of several grants, or under none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.unit.dwn.persons import SteppingClock, person
from web5.dwn.signatures.jws import payload_of
from web5.dwn.values.types import Message
from web5.sync.exchange.peer import Peer, RemoteLog
from web5.sync.ledger.ledger import Endpoint
from web5.sync.plan.policy import Outcome
from web5.sync.states import EndpointReport

FOUND = {"status": {"code": 200, "detail": "OK"}, "entry": {"message": {}}}


class Node:
    """A remote that answers by the grant that a read names; `asked` are these grants."""

    def __init__(self, answers: Mapping[str | None, Any]) -> None:
        self.answers, self.asked = answers, list[str | None]()

    async def process_message(self, url: str, tenant: str, message: Message, *data: Any, **more: Any) -> Message:
        grant = payload_of(message["authorization"]["signature"]).get("permissionGrantId")
        self.asked.append(grant)
        answer = self.answers[grant]
        return FOUND if answer == 200 else {"status": {"code": answer, "detail": ""}}


class Clock(SteppingClock):
    def learn(self, detail: str) -> bool:
        return False


async def read(answers: Mapping[str | None, Any]) -> tuple[int, list[str | None]]:
    node, alice = Node(answers), await person("Ed25519")
    logs = [RemoteLog(grant or "all", [], {"Read": grant} if grant else {}) for grant in answers]
    report = EndpointReport(alice.did, "http://node")
    peer = Peer(Endpoint(1, alice.did, "http://node"), report, logs, node, alice.signer, Clock())  # type: ignore[arg-type]
    async with peer.read("bafyrei") as reply:
        return (reply.code if isinstance(reply, Outcome) else 200), node.asked


@pytest.mark.parametrize(
    ("answers", "code", "asked"),
    [
        ([200], 200, 1),
        ([404], 404, 1),
        ([401], 401, 1),
        ([404, 200], 200, 2),
        ([401, 200], 200, 2),
        ([404, 404], 404, 2),
        # The reference refuses what the grant does not show; a node of ours does not have it then. Whether it is there
        # is not known as long as one refuses: a message that counts as gone would not be asked for again.
        ([401, 404], 401, 2),
        ([404, 401], 401, 2),
        ([404, 401, 404], 401, 3),
        ([401, 401], 401, 2),
        # What says more about the node than about the grant ends it.
        ([500, 200], 500, 1),
        ([404, 429, 200], 429, 2),
    ],
)
async def test_the_answers_under_several_grants_count_as_one(answers: list[int], code: int, asked: int) -> None:
    found, grants = await read({f"grant{number}": answer for number, answer in enumerate(answers)})
    assert (found, len(grants)) == (code, asked)


@pytest.mark.parametrize("code", [200, 401, 404])
async def test_the_tenant_asks_once_without_a_grant(code: int) -> None:
    assert await read({None: code}) == (code, [None])
