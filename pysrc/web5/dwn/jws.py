"""What the signatures of a message say; whether they hold is for `authentication`.

Sources: `src/core/message.ts`, `src/utils/jws.ts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from web5.crypto.encoding import b64url_decode
from web5.dwn.codes import Code
from web5.dwn.javascript import parse_json
from web5.dwn.messages.schema import Schema
from web5.dwn.messages.shapes import CLOSED
from web5.errors import BadRequest, CryptoError

Jws = Mapping[str, Any]


@with_config(CLOSED)
class _GenericPayload(TypedDict):
    descriptorCid: str
    delegatedGrantId: NotRequired[str]
    permissionGrantId: NotRequired[str]
    protocolRole: NotRequired[str]


@with_config(CLOSED)
class _WritePayload(TypedDict):
    descriptorCid: str
    recordId: str
    contextId: NotRequired[str]
    attestationCid: NotRequired[str]
    encryptionCid: NotRequired[str]
    delegatedGrantId: NotRequired[str]
    permissionGrantId: NotRequired[str]
    protocolRole: NotRequired[str]


GENERIC_PAYLOAD = Schema("GenericSignaturePayload", _GenericPayload)
WRITE_PAYLOAD = Schema("RecordsWriteSignaturePayload", _WritePayload)


def payload_of(jws: Jws) -> dict[str, Any]:
    """What was signed, as a JSON object.

    Raises:
        BadRequest: `JwsDecodePlainObjectPayloadInvalid`.
    """
    try:
        payload = _json(jws["payload"])
    except (KeyError, ValueError, CryptoError, RecursionError, BadRequest):
        payload = None
    if type(payload) is not dict:
        raise BadRequest(Code.JwsDecodePlainObjectPayloadInvalid, "the signed payload is not a JSON object")
    return payload


def signed_claims(jws: Jws | None, descriptor_cid: str, schema: Schema = GENERIC_PAYLOAD) -> dict[str, Any]:
    """The payload of the one signature of a message, once it is known to be about this descriptor.

    Raises:
        BadRequest: with the reference's code, in the order of its checks.
    """
    if jws is None or "signatures" not in jws:
        raise BadRequest("", "the signature is missing")
    if len(jws["signatures"]) != 1:
        raise BadRequest(Code.AuthenticationMoreThanOneSignatureNotSupported, "expected exactly one signature")
    claims = schema.check(payload_of(jws))
    if claims["descriptorCid"] != descriptor_cid:
        raise BadRequest(
            Code.AuthenticateDescriptorCidMismatch,
            f"the signed descriptorCid {claims['descriptorCid']} is not that of the descriptor, {descriptor_cid}",
        )
    return claims


def message_signer(message: Mapping[str, Any]) -> str:
    """The DID that a message, such as a grant within another message, names as the one who signed it.

    Raises:
        BadRequest: it is not signed, or its protected header cannot be read.
    """
    signatures = message["authorization"].get("signature", {}).get("signatures")
    if not signatures:
        raise BadRequest("", "the signature is missing")
    return key_id_of(signatures[0].get("protected")).partition("#")[0]


def message_author(message: Mapping[str, Any]) -> str:
    """The DID of a signed message's logical author: where a delegate signed it, the one who granted that.

    Raises:
        BadRequest: as `message_signer` does.
    """
    return message_signer(message["authorization"].get("authorDelegatedGrant", message))


def signer_of(jws: Jws, position: int = 0) -> str:
    """The DID that a signature names as its maker; not verified.

    Raises:
        BadRequest: the protected header cannot be read.
    """
    return key_id_of(jws["signatures"][position].get("protected")).partition("#")[0]


@lru_cache(maxsize=1024)
def key_id_of(protected: str | None) -> str:
    """The `kid` of a protected header.

    Raises:
        BadRequest: there is none.
    """
    try:
        header = _json(protected)
    except (ValueError, CryptoError, RecursionError, BadRequest):
        header = None
    kid = header.get("kid") if type(header) is dict else None
    if type(kid) is not str:
        raise BadRequest("", "the protected header of the signature has no kid")
    return kid


def _json(text: Any) -> Any:
    return parse_json(b64url_decode(text))
