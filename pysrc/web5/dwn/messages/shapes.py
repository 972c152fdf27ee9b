"""Shapes that several kinds of message share, as pydantic validates them (the reference's JSON schemas).

Properties stand in the order of the schemas, because the first fault in that order names the reply's code. Shapes give
plain dicts. Patterns are Rust's: `$` is the end of the text, and `\\d` would be any script's digit.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, NotRequired, TypeVar

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, PlainValidator, StringConstraints, with_config
from typing_extensions import TypedDict

from web5.dwn.messages import rules
from web5.dwn.store.terms import MAX_TAGS

CLOSED = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


@with_config(CLOSED)
class Closed(TypedDict):
    """The base of shapes that allow no other properties."""


Base64Url = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$")]
Did = Annotated[
    str,
    StringConstraints(
        pattern=r"^did:([a-z0-9]+):((?:(?:[a-zA-Z0-9._-]|(?:%[0-9a-fA-F]{2}))*:)*"
        r"((?:[a-zA-Z0-9._-]|(?:%[0-9a-fA-F]{2}))+))"
        r"((;[a-zA-Z0-9_.:%-]+=[a-zA-Z0-9_.:%-]*)*)(/[^#?]*)?([?][^#]*)?(#.*)?$"
    ),
]
MAX_ALTERNATIVES = 1000
"""The limit for the authors or recipients of a filter. A header of the reference's server holds less than 300."""

Dids = Annotated[list[Did], Field(max_length=MAX_ALTERNATIVES)]
Timestamp = Annotated[
    str,
    StringConstraints(
        pattern=r"^[0-9]{4}-[0-1][0-9]-[0-3][0-9]T(?:[0-2][0-9]:[0-5][0-9]:[0-5][0-9]|23:59:60)\.[0-9]{6}Z$"
    ),
]
Number = int | float


class SignatureEntry(Closed):
    protected: NotRequired[Base64Url]
    signature: NotRequired[Base64Url]


class GeneralJws(Closed):
    payload: NotRequired[Base64Url]
    signatures: NotRequired[Annotated[list[SignatureEntry], Field(min_length=1)]]


class Authorization(Closed):
    signature: NotRequired[GeneralJws]


class DelegatedAuthorization(Authorization):
    authorDelegatedGrant: NotRequired[DataEncodedRecordsWrite]


class _OwnerAuthorization(DelegatedAuthorization):
    ownerSignature: NotRequired[GeneralJws]
    ownerDelegatedGrant: NotRequired[DataEncodedRecordsWrite]


OwnerAuthorization = Annotated[_OwnerAuthorization, AfterValidator(rules.require_signature)]


AuthorizationT = TypeVar("AuthorizationT")
DescriptorT = TypeVar("DescriptorT")


class Signed(Closed, Generic[AuthorizationT, DescriptorT]):
    """A message that must be signed."""

    authorization: AuthorizationT
    descriptor: DescriptorT


class MaybeSigned(Closed, Generic[AuthorizationT, DescriptorT]):
    """A message that anyone may send, signed or not."""

    authorization: NotRequired[AuthorizationT]
    descriptor: DescriptorT


class EncryptedKey(Closed):
    rootKeyId: str
    derivationScheme: Literal["dataFormats", "protocolContext", "protocolPath", "schemas"]
    derivedPublicKey: NotRequired[Annotated[Any, PlainValidator(rules.public_jwk)]]
    algorithm: Literal["ECIES-ES256K"]
    encryptedKey: Base64Url
    initializationVector: Base64Url
    ephemeralPublicKey: Annotated[Any, PlainValidator(rules.public_jwk)]
    messageAuthenticationCode: Base64Url


class Encryption(Closed):
    algorithm: Literal["A256CTR"]
    initializationVector: Base64Url
    keyEncryption: Annotated[list[EncryptedKey], Field(min_length=1)]


class _WriteDescriptor(Closed):
    interface: Literal["Records"]
    method: Literal["Write"]
    recipient: NotRequired[Did]
    protocol: NotRequired[str]
    protocolPath: NotRequired[Annotated[str, StringConstraints(pattern=r"^[a-zA-Z]+(/[a-zA-Z]+)*$")]]
    schema: NotRequired[str]
    tags: NotRequired[
        Annotated[dict[str, Annotated[Any, PlainValidator(rules.tag)]], Field(min_length=1, max_length=MAX_TAGS)]
    ]
    parentId: NotRequired[str]
    dataCid: str
    dataSize: Number
    dateCreated: Timestamp
    messageTimestamp: Timestamp
    published: NotRequired[bool]
    datePublished: NotRequired[Timestamp]
    dataFormat: str


class _RecordsWrite(Closed):
    recordId: str
    contextId: NotRequired[Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9]+(/[a-zA-Z0-9]+)*$")]]
    attestation: NotRequired[GeneralJws]
    authorization: OwnerAuthorization
    encryption: NotRequired[Encryption]
    descriptor: Annotated[_WriteDescriptor, AfterValidator(rules.parentage), BeforeValidator(rules.publication)]


class _DataEncodedRecordsWrite(_RecordsWrite):
    encodedData: str


RecordsWrite = Annotated[_RecordsWrite, BeforeValidator(rules.protocol_context)]
DataEncodedRecordsWrite = Annotated[_DataEncodedRecordsWrite, BeforeValidator(rules.protocol_context)]


_DateRange = TypedDict("_DateRange", {"from": NotRequired[Timestamp], "to": NotRequired[Timestamp]})
with_config(CLOSED)(_DateRange)
DateRange = Annotated[_DateRange, AfterValidator(rules.not_empty)]
"""From `from`, inclusive, to `to`, exclusive."""


class Cursor(Closed):
    messageCid: str
    value: str | Number


class _NumberRange(Closed):
    gt: NotRequired[Number]
    gte: NotRequired[Number]
    lt: NotRequired[Number]
    lte: NotRequired[Number]


class _RecordsFilter(Closed):
    protocol: NotRequired[str]
    protocolPath: NotRequired[str]
    author: NotRequired[Did | Dids]
    attester: NotRequired[Did]
    recipient: NotRequired[Did | Dids]
    contextId: NotRequired[str]
    schema: NotRequired[str]
    tags: NotRequired[Annotated[dict[str, Annotated[Any, PlainValidator(rules.tag_filter)]], Field(min_length=1)]]
    recordId: NotRequired[str]
    parentId: NotRequired[str]
    published: NotRequired[bool]
    dataFormat: NotRequired[str]
    dataSize: NotRequired[Annotated[_NumberRange, AfterValidator(rules.range_bounds)]]
    dataCid: NotRequired[str]
    dateCreated: NotRequired[DateRange]
    datePublished: NotRequired[DateRange]
    dateUpdated: NotRequired[DateRange]


RecordsFilter = Annotated[_RecordsFilter, AfterValidator(rules.publication_filter)]


class _MessagesFilter(Closed):
    interface: NotRequired[Literal["Protocols", "Records"]]
    method: NotRequired[Literal["Configure", "Delete", "Write"]]
    protocol: NotRequired[str]
    messageTimestamp: NotRequired[DateRange]


MAX_FILTERS = 256
"""The limit for the filters of a MessagesQuery, for each of which the log is searched."""

MessagesFilters = Annotated[
    list[Annotated[_MessagesFilter, AfterValidator(rules.not_empty)]], Field(max_length=MAX_FILTERS)
]
