"""The properties of a record, as its messages have them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic.alias_generators import to_camel

from web5.api.arguments import moment, moment_or_none
from web5.dwn.signatures.jws import key_id_of, message_author, payload_of
from web5.dwn.signatures.signing import without_none
from web5.dwn.values.cid import message_cid
from web5.dwn.values.types import Message

_IN_JSON = (
    *("author", "context_id", "data_cid", "data_format", "data_size", "parent_id", "protocol", "protocol_path"),
    *("protocol_role", "recipient", "schema", "attestation", "authorization", "encryption"),
)
_DATES_IN_JSON = ("dateCreated", "datePublished")


class RecordView:
    """A record in the state that its newest message gives it.

    Dates are datetimes in UTC. Properties that the record does not have are None. Of a deleted record, only those that
    never change are left. Two are equal if they are the same record in the same state.
    """

    _message: Message
    _initial_write: Message | None

    # -- what never changes in a record's life

    @property
    def id(self) -> str:
        """The record ID."""
        record_id: str = self._message.get("recordId") or self._message["descriptor"]["recordId"]
        return record_id

    @property
    def context_id(self) -> str | None:
        """The record IDs from the root of the protocol's tree to this record, joined by "/"."""
        context_id: str | None = self._last_write.get("contextId")
        return context_id

    @property
    def creator(self) -> str:
        """The DID that made the initial write, or had a delegate make it."""
        return message_author(self._initial_write or self._message)

    @property
    def date_created(self) -> datetime:
        """The date of the initial write, unless the app gave another."""
        return moment(self._created("dateCreated") or "")

    @property
    def parent_id(self) -> str | None:
        """The record ID of the parent, below the root of a protocol."""
        return self._created("parentId")

    @property
    def protocol(self) -> str | None:
        """The URI of the protocol."""
        return self._created("protocol")

    @property
    def protocol_path(self) -> str | None:
        """The place in the protocol's structure, such as "thread/message"."""
        return self._created("protocolPath")

    @property
    def recipient(self) -> str | None:
        """The DID that the record is addressed to."""
        return self._created("recipient")

    @property
    def schema(self) -> str | None:
        """The URI that says what the data is."""
        return self._created("schema")

    # -- what an update may change

    @property
    def author(self) -> str:
        """The DID that made the newest message, or had a delegate make it."""
        return message_author(self._message)

    @property
    def date_modified(self) -> datetime:
        """The newest message's timestamp."""
        return moment(self._newest("messageTimestamp") or "")

    @property
    def data_cid(self) -> str | None:
        """The CID of the data as the DWN has it: of an encrypted record, of the ciphertext."""
        return self._newest("dataCid")

    @property
    def data_format(self) -> str | None:
        """The media type of the data."""
        return self._newest("dataFormat")

    @property
    def data_size(self) -> int | None:
        """The size of the data as the DWN has it, in bytes."""
        size: int | None = self._message["descriptor"].get("dataSize")
        return size

    @property
    def published(self) -> bool:
        """True if anybody can read the record."""
        return bool(self._message["descriptor"].get("published"))

    @property
    def date_published(self) -> datetime | None:
        """The date of publication."""
        return moment_or_none(self._newest("datePublished"))

    @property
    def tags(self) -> dict[str, Any]:
        """The tags, by which queries find the record; empty if it has none."""
        return dict(self._message["descriptor"].get("tags") or {})

    @property
    def encrypted(self) -> bool:
        """True if the DWN has the data encrypted; `data` decrypts them."""
        return "encryption" in self._message

    @property
    def encryption(self) -> dict[str, Any] | None:
        """The encryption of the data, as the wire has it; None if they are in the clear."""
        return self._message.get("encryption")

    @property
    def authorization(self) -> dict[str, Any] | None:
        """The signatures of the newest message, as the wire has them."""
        return self._message.get("authorization")

    @property
    def attestation(self) -> dict[str, Any] | None:
        """The signatures of those who attest the record, as the wire has them."""
        return self._message.get("attestation")

    @property
    def attesters(self) -> list[str]:
        """The DIDs that attest the record."""
        signatures = (self.attestation or {}).get("signatures", ())
        return [key_id_of(one.get("protected")).partition("#")[0] for one in signatures]

    @property
    def protocol_role(self) -> str | None:
        """The protocol path of the role that the newest message was made with."""
        signature = (self.authorization or {}).get("signature")
        role: str | None = None if signature is None else payload_of(signature).get("protocolRole")
        return role

    @property
    def deleted(self) -> bool:
        """True once the record is deleted."""
        return self._newest("method") == "Delete"

    @property
    def raw_message(self) -> dict[str, Any]:
        """The newest message, as the wire has it."""
        return dict(self._message)

    @property
    def initial_write(self) -> dict[str, Any] | None:
        """The record's first message, if the newest is another."""
        return dict(self._initial_write) if self._initial_write else None

    def to_json(self) -> dict[str, Any]:
        """Return the properties by their wire names, without the data (`Record.toJSON` of `@web5/api`)."""
        return without_none(
            **{to_camel(name): getattr(self, name) for name in _IN_JSON},
            **{name: self._last_write["descriptor"].get(name) for name in _DATES_IN_JSON},
            recordId=self.id,
            messageTimestamp=self._newest("messageTimestamp"),
            published=self.published or None,
            tags=self.tags or None,
        )

    def __repr__(self) -> str:
        state = "deleted" if self.deleted else f"{self.data_format}, {self.data_size} bytes"
        place = f" {self.protocol}#{self.protocol_path}" if self.protocol else f" {self.schema}" if self.schema else ""
        return f"<{type(self).__name__} {self.id}{place}: {state}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RecordView):
            return NotImplemented
        return self.id == other.id and self.message_cid == other.message_cid

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def message_cid(self) -> str:
        """The CID of the newest message, which tells states of a record apart."""
        return message_cid(self._message)

    @property
    def _last_write(self) -> Message:
        return (self._initial_write or self._message) if self.deleted else self._message

    def _created(self, name: str) -> str | None:
        value: str | None = self._last_write["descriptor"].get(name)
        return value

    def _newest(self, name: str) -> str | None:
        value: str | None = self._message["descriptor"].get(name)
        return value
