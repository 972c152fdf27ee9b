"""Our authors (`web5.dwn.compose`) make the messages of a stream once more, from what they say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from tests.clocks import ManualClock
from tests.interop.engine.streams.authoring import author_of, entry_id
from tests.interop.engine.streams.cast import Actor
from tests.interop.engine.streams.step import Message, Signed
from web5.crypto.jose.jws import MessageSigner
from web5.dwn import compose
from web5.dwn.signatures.signing import sign_as_owner
from web5.dwn.values.timestamps import parse_timestamp

NAMES = {"permissionGrantId": "permission_grant_id", "protocolRole": "protocol_role"}


class StoppedClock(ManualClock):
    """A clock that stands at the time of a message."""

    def __init__(self, message: Message) -> None:
        super().__init__(parse_timestamp(message["descriptor"]["messageTimestamp"]))


class _Raw:
    def __init__(self, actor: Actor) -> None:
        self._actor = actor

    @property
    def algorithm(self) -> Any:
        return self._actor.algorithm

    async def sign(self, data: bytes) -> bytes:
        return self._actor.sign(data)


def message_signer(actor: Actor) -> MessageSigner:
    return MessageSigner(actor.key_id, _Raw(actor))


async def composed(message: Message, signed: Signed | None) -> Message:
    """A message that says the same, by our author of its kind."""
    descriptor = message["descriptor"]
    options: dict[str, Any] = {}
    signer = None
    if signed is not None:
        signer = message_signer(signed.signer)
        options = {NAMES[name]: value for name, value in signed.claims.items()}
        if signed.delegated is not None:
            options["delegated_grant"] = signed.delegated
    compose_it = _AUTHORS[descriptor["interface"] + descriptor["method"]]
    if descriptor["method"] == "Write":
        assert signed is not None
        return await _write(message, signed, options)
    return await compose_it(signer, StoppedClock(message), descriptor, options)


async def _write(message: Message, signed: Signed, options: dict[str, Any]) -> Message:
    descriptor = message["descriptor"]
    options |= {
        "data_cid": descriptor["dataCid"],
        "data_size": descriptor["dataSize"],
        "data_format": descriptor["dataFormat"],
        "tags": descriptor.get("tags"),
        "published": descriptor.get("published"),
        "date_published": descriptor.get("datePublished"),
        "message_timestamp": descriptor["messageTimestamp"],
        "attestation_signers": [] if signed.attester is None else [message_signer(signed.attester)],
    }
    if entry_id(author_of(signed), descriptor) == message["recordId"]:
        options |= {
            "schema": descriptor.get("schema"),
            "recipient": descriptor.get("recipient"),
            "protocol": descriptor.get("protocol"),
            "protocol_path": descriptor.get("protocolPath"),
            "parent_context_id": message.get("contextId", "").rpartition("/")[0] or None,
            "date_created": descriptor["dateCreated"],
        }
    else:
        options["existing"] = message
    made = await compose.records_write(message_signer(signed.signer), StoppedClock(message), **options)
    if signed.owner_delegated is not None:
        assert signed.owner is not None
        return await sign_as_owner(made, message_signer(signed.owner), signed.owner_delegated)
    return made if signed.owner is None else await sign_as_owner(made, message_signer(signed.owner))


_Author = Callable[[Any, StoppedClock, Message, dict[str, Any]], Awaitable[Message]]

_AUTHORS: dict[str, _Author] = {
    "RecordsWrite": lambda signer, clock, descriptor, options: compose.records_write(signer, clock, **options),
    "RecordsDelete": lambda signer, clock, descriptor, options: compose.records_delete(
        signer, clock, record_id=descriptor["recordId"], prune=descriptor["prune"], **options
    ),
    "RecordsQuery": lambda signer, clock, descriptor, options: compose.records_query(
        signer,
        clock,
        filter=descriptor["filter"],
        date_sort=descriptor.get("dateSort"),
        pagination=descriptor.get("pagination"),
        **options,
    ),
    "RecordsRead": lambda signer, clock, descriptor, options: compose.records_read(
        signer, clock, filter=descriptor["filter"], **options
    ),
    "RecordsSubscribe": lambda signer, clock, descriptor, options: compose.records_subscribe(
        signer, clock, filter=descriptor["filter"], **options
    ),
    "MessagesQuery": lambda signer, clock, descriptor, options: compose.messages_query(
        signer, clock, filters=descriptor["filters"], cursor=descriptor.get("cursor"), **options
    ),
    "MessagesRead": lambda signer, clock, descriptor, options: compose.messages_read(
        signer, clock, message_cid=descriptor["messageCid"], **options
    ),
    "MessagesSubscribe": lambda signer, clock, descriptor, options: compose.messages_subscribe(
        signer, clock, filters=descriptor["filters"], **options
    ),
    "ProtocolsConfigure": lambda signer, clock, descriptor, options: compose.protocols_configure(
        signer, clock, definition=descriptor["definition"], **options
    ),
    "ProtocolsQuery": lambda signer, clock, descriptor, options: compose.protocols_query(
        signer, clock, protocol=descriptor.get("filter", {}).get("protocol"), **options
    ),
}
