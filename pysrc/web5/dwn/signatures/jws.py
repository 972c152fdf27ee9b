"""The payloads and key IDs of a message's signatures, not yet verified (see `authentication`).

All functions raise BadRequest for what they cannot read. Sources: `src/core/message.ts`, `src/utils/jws.ts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired

from web5.crypto.encoding import b64url_decode
from web5.dwn.codes import Code
from web5.dwn.messages.schema import Schema
from web5.dwn.messages.shapes import Closed
from web5.dwn.values.javascript import parse_json
from web5.errors import BadRequest, CryptoError
from web5.lru import remember_short

Jws = Mapping[str, Any]


class _GenericPayload(Closed):
    descriptorCid: str
    delegatedGrantId: NotRequired[str]
    permissionGrantId: NotRequired[str]
    protocolRole: NotRequired[str]


class _WritePayload(_GenericPayload):
    recordId: str
    contextId: NotRequired[str]
    attestationCid: NotRequired[str]
    encryptionCid: NotRequired[str]


GENERIC_PAYLOAD = Schema("GenericSignaturePayload", _GenericPayload)
WRITE_PAYLOAD = Schema("RecordsWriteSignaturePayload", _WritePayload)


def payload_of(jws: Jws) -> dict[str, Any]:
    """Return the signed payload, which is a JSON object."""
    payload = _json_object(jws.get("payload"))
    if payload is None:
        raise BadRequest(Code.JwsDecodePlainObjectPayloadInvalid, "the signed payload is not a JSON object")
    return payload


def signed_claims(jws: Jws | None, descriptor_cid: str, schema: Schema = GENERIC_PAYLOAD) -> dict[str, Any]:
    """Return the payload of a message's only signature, after checking that it is about this descriptor."""
    if jws is None or "signatures" not in jws:
        raise BadRequest("", "the signature is missing")
    if len(jws["signatures"]) != 1:
        told = f"expected exactly 1 signature, but got {len(jws['signatures'])}"
        raise BadRequest(Code.AuthenticationMoreThanOneSignatureNotSupported, told)
    claims = schema.check(payload_of(jws))
    if claims["descriptorCid"] != descriptor_cid:
        raise BadRequest(
            Code.AuthenticateDescriptorCidMismatch,
            f"the signed descriptorCid {claims['descriptorCid']} does not match expected CID {descriptor_cid}",
        )
    return claims


def message_signer(message: Mapping[str, Any]) -> str:
    """Return the DID of a message's signer."""
    return signer_of(message["authorization"].get("signature", {}))


def message_author(message: Mapping[str, Any]) -> str:
    """Return the DID of a message's logical author, who is the grantor where a delegate signed."""
    return message_signer(message["authorization"].get("authorDelegatedGrant", message))


def signer_of(jws: Jws) -> str:
    """Return the DID of the first signature's key."""
    signatures = jws.get("signatures")
    if not signatures:
        raise BadRequest("", "the signature is missing")
    return key_id_of(signatures[0].get("protected")).partition("#")[0]


@remember_short(1024)
def key_id_of(protected: str | None) -> str:
    """Return the `kid` of a protected header."""
    kid = (_json_object(protected) or {}).get("kid")
    if type(kid) is not str:
        raise BadRequest("", "the protected header of the signature has no kid")
    return kid


def _json_object(text: Any) -> dict[str, Any] | None:
    try:
        value = parse_json(b64url_decode(text))
    except (ValueError, CryptoError, RecursionError, BadRequest):
        return None
    return value if type(value) is dict else None
