"""The replies of other people's DWNs, checked before an app gets them: any other may be a KeyError away from trouble.

Only what is read here is asked for. Whatever else is in a reply, such as what a stranger added to a message that a DWN
holds, must not keep an app from reading the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, NotRequired

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from web5.crypto.encoding import b64url_decode
from web5.dwn.data import DataStream, verified
from web5.dwn.messages.schema import Schema
from web5.dwn.signatures.jws import message_author
from web5.dwn.values.cid import data_cid
from web5.dwn.values.types import Message
from web5.dwn.wire.rpc import method_of
from web5.errors import BadReply, BadRequest, CryptoError
from web5.sync.plan.variants import original


@with_config(ConfigDict(strict=True))
class _Open(TypedDict):
    """The base of shapes that may have other properties."""


class _Descriptor(_Open):
    dateCreated: str
    messageTimestamp: str
    dataCid: str
    dataSize: Annotated[int, Field(ge=0)]
    dataFormat: str
    protocol: NotRequired[str]
    protocolPath: NotRequired[str]
    recipient: NotRequired[str]
    schema: NotRequired[str]
    parentId: NotRequired[str]
    published: NotRequired[bool]
    datePublished: NotRequired[str]
    tags: NotRequired[dict[str, Any]]


class _Write(_Open):
    recordId: str
    contextId: NotRequired[str]
    descriptor: _Descriptor
    authorization: dict[str, Any]
    encryption: NotRequired[dict[str, Any]]


class _QueryEntry(_Write):
    encodedData: NotRequired[str]
    initialWrite: NotRequired[_Write | None]


class _QueryReply(_Open):
    entries: list[_QueryEntry]
    cursor: NotRequired[dict[str, Any] | None]


class _ReadEntry(_Open):
    recordsWrite: _Write
    initialWrite: NotRequired[_Write | None]


class _ReadReply(_Open):
    entry: _ReadEntry


class _Definition(_Open):
    definition: dict[str, Any]


class _Configure(_Open):
    descriptor: _Definition


class _ProtocolsReply(_Open):
    entries: list[_Configure]


_SHAPES: Mapping[str, Schema] = {
    "Records.Query": Schema("reply to RecordsQuery", _QueryReply),
    "Records.Read": Schema("reply to RecordsRead", _ReadReply),
    "Protocols.Query": Schema("reply to ProtocolsQuery", _ProtocolsReply),
}


def check_reply(message: Message, reply: Message) -> None:
    """Check a successful reply to a message, and have the data in it compared with its CID while it is read.

    What a stranger has added to a message, which a DWN may have taken (`sync.plan.variants`), is taken out of it.

    Raises:
        BadReply: it is no such reply, about another record than was asked for, or brings other data than it says.
    """
    method = method_of(message)
    if (shape := _SHAPES.get(method)) is None:
        return
    try:
        shape.check(reply)
        if method == "Records.Query":
            for entry in reply["entries"]:
                _check_write(entry, entry.get("initialWrite"))
                _check_inline_data(entry)
            reply["entries"] = [original(entry) for entry in reply["entries"]]
        elif method == "Records.Read":
            entry = reply["entry"]
            write = entry["recordsWrite"] = original(entry["recordsWrite"])
            _check_write(write, entry.get("initialWrite"))
            if write["recordId"] != message["descriptor"]["filter"].get("recordId", write["recordId"]):
                raise BadReply(f"asked for another record than {write['recordId']}")
            if isinstance(data := entry.get("data"), DataStream):
                entry["data"] = verified(data, write["descriptor"]["dataCid"], write["descriptor"]["dataSize"])
    except (BadRequest, CryptoError) as error:
        raise BadReply(f"not a {_SHAPES[method].name}: {error}") from None


def _check_write(write: Message, initial: Message | None) -> None:
    for message in (write, initial):
        if message is not None:
            try:
                message_author(message)
            except (AttributeError, KeyError, TypeError) as error:
                raise BadReply("a message says in no known way who signed it") from error
    if initial is not None and initial["recordId"] != write["recordId"]:
        raise BadReply("the initial write is that of another record")


def _check_inline_data(entry: Message) -> None:
    encoded = entry.get("encodedData")
    if encoded is not None and data_cid(b64url_decode(encoded)) != entry["descriptor"]["dataCid"]:
        raise BadReply(f"the data of record {entry['recordId']} are not those that its message names")
