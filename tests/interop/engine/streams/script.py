"""A few messages for two people, written step by step, for both engines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.interop.engine.streams import authoring
from tests.interop.engine.streams.cast import Actor
from tests.interop.engine.streams.pair import Outcome, run_ours, run_theirs
from tests.interop.engine.streams.step import Message, Signed, Step
from tests.interop.reference import ReferenceScript
from tests.unit.dwn.chat import URI as CHAT
from web5.dwn.values.cid import data_cid

PERMISSIONS = "https://tbd.website/dwn/permissions"
PROTOCOL = "https://example.com/notes"
DEFINITION = {
    "protocol": PROTOCOL,
    "published": True,
    "types": {"note": {}},
    "structure": {"note": {"$actions": [{"who": "anyone", "can": ["read"]}]}},
}


@dataclass
class Script:
    """Steps for Alice's DWN, one second apart."""

    alice: Actor
    bob: Actor
    steps: list[Step] = field(default_factory=list)

    def time(self, second: int | None = None) -> str:
        return f"2024-05-01T00:00:{len(self.steps) if second is None else second:02}.000000Z"

    def send(self, message: Any, data: bytes | None = None, **more: Any) -> Any:
        self.steps.append(Step(len(self.steps), "log", self.alice.did, message, data, **more))
        return message

    def write(self, data: bytes, *, send: bool = True, sent: bytes | None = None, **more: Any) -> Message:
        time = self.time()
        signed = more.pop("signed", Signed(self.alice))
        context = more.pop("parent_context_id", None)
        published = {"published": True, "datePublished": time} if more.pop("published", False) else {}
        descriptor = {
            "interface": "Records",
            "method": "Write",
            "dataCid": data_cid(data),
            "dataSize": len(data),
            "dateCreated": time,
            "messageTimestamp": time,
            "dataFormat": "application/json",
            **published,
            **more,
        }
        message = authoring.write(descriptor, signed, parent_context_id=context)
        return self.send(message, data if sent is None else sent) if send else message

    def update(self, old: Message, data: bytes, *, published: bool = False, sent: bytes | None = None) -> Message:
        time = self.time()
        descriptor = {**old["descriptor"], "messageTimestamp": time, "dataCid": data_cid(data), "dataSize": len(data)}
        if published:
            descriptor |= {"published": True, "datePublished": time}
        message = authoring.write(
            descriptor, Signed(self.alice), record_id=old["recordId"], context_id=old.get("contextId")
        )
        return self.send(message, data if sent is None else sent)

    def ask(
        self, by: Actor | None, interface: str, method: str, claims: dict[str, str] | None = None, **more: Any
    ) -> None:
        descriptor = {"interface": interface, "method": method, "messageTimestamp": self.time(), **more}
        self.send(authoring.plain(descriptor, None if by is None else Signed(by, claims or {})))

    def configure(self, definition: Message = DEFINITION) -> None:
        self.ask(self.alice, "Protocols", "Configure", definition=definition)

    def thread(self, *, member: Actor | None = None) -> tuple[Message, Message | None]:
        """A thread of Alice's, and the role of its member."""
        above = self.write(b"thread", protocol=CHAT, protocolPath="thread")
        below = {"protocol": CHAT, "parentId": above["recordId"], "parent_context_id": above["contextId"]}
        if member is None:
            return above, None
        return above, self.write(b"in", **below, protocolPath="thread/member", recipient=member.did)

    def post(self, above: Message) -> Message:
        schema = "https://example.com/schemas/post"
        below = {"protocol": CHAT, "parentId": above["recordId"], "parent_context_id": above["contextId"]}
        return self.write(b"post", **below, protocolPath="thread/post", schema=schema)

    def grant(self, scope: Message, *, send: bool = True, **more: Any) -> tuple[Message, bytes]:
        data = authoring.json_data({"dateExpires": "2025-05-01T00:00:00.000000Z", "scope": scope, **more})
        message = self.write(
            data,
            send=send,
            protocol=PERMISSIONS,
            protocolPath="grant",
            recipient=self.bob.did,
            tags={"protocol": scope["protocol"]},
        )
        return message, data

    async def run(self, reference: ReferenceScript) -> tuple[list[Outcome], list[Outcome]]:
        theirs = await run_theirs(reference, [self.alice, self.bob], self.steps)
        return await run_ours(self.steps), theirs

    async def last(self, reference: ReferenceScript) -> tuple[Outcome, Outcome]:
        """What both engines answered to the last step, all others having been answered alike."""
        ours, theirs = await self.run(reference)
        assert [one.code for one in ours[:-1]] == [one.code for one in theirs[:-1]]
        return ours[-1], theirs[-1]
