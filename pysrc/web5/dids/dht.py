"""did:dht: the DID is an Ed25519 key, its document a signed item of the Mainline DHT (https://did-dht.com).

Gateways (`PUT` and `GET {gateway}/{z-base-32 key}`) are the way to the DHT. `@web5/dids` `did-dht.ts` is the reference.
"""

from __future__ import annotations

from web5.crypto.encoding import z32_encode
from web5.dids import bep44, dht_rotation
from web5.dids.dht_create import KeySpec, create, identity_defaults
from web5.dids.dht_identity import identity_key, identity_key_to_did
from web5.dids.dht_packet import deactivation_packet, to_packet
from web5.dids.dht_read import from_packet
from web5.dids.dht_room import fitting_packet
from web5.dids.dht_terms import PreviousDid
from web5.dids.method import Resolved
from web5.dids.models import PortableDid
from web5.dids.signing import private_key, signing_method
from web5.dids.uri import DidUrl
from web5.errors import DidError
from web5.ports.clock import Clock, SystemClock
from web5.ports.crypto import Crypto
from web5.ports.http import Http, HttpResponse

__all__ = [
    "DidDht",
    "KeySpec",
    "PreviousDid",
    "create",
    "from_packet",
    "identity_defaults",
    "identity_key",
    "identity_key_to_did",
    "publish",
    "to_packet",
]

REQUEST_SECONDS = 20.0
_REASON_LIMIT = 300


async def publish(
    portable_did: PortableDid,
    http: Http,
    crypto: Crypto,
    gateway_uri: str,
    *,
    clock: Clock | None = None,
) -> PortableDid:
    """Give the document to a gateway.

    A DID with `deactivated` in its metadata is ended by that: it resolves to a document without keys from then on.
    The sequence number is the time in seconds, as in the reference, and higher than the `versionId` in the metadata.

    Returns:
        the same DID, with `published` and `versionId` in its metadata.

    Raises:
        DidError: the document cannot be published, or the gateway refused it (internalError, with its words);
            invalidPreviousDidProof, the previous DID in the metadata did not sign for this one.
        CryptoError: the identity key is malformed.
        RemoteError: the gateway was not reached.
    """
    key = identity_key(portable_did.uri)
    metadata = portable_did.metadata
    if portable_did.document.id != portable_did.uri:
        raise DidError("invalidDidDocument", f"the document of {portable_did.uri} has another id")
    previous = dht_rotation.from_metadata(metadata)
    if previous is not None:
        await dht_rotation.check(previous, portable_did.uri, crypto)
    now = -((clock or SystemClock()).now() // -1_000_000)
    seq = max(now, bep44.version_of(metadata) + 1)
    if metadata.get("deactivated"):
        packet = deactivation_packet(portable_did.uri)
    else:
        packet = fitting_packet(
            portable_did.document,
            types=metadata.get("types") or (),
            gateway_uris=[gateway_uri],
            previous=previous,
            seq=seq,
        )
    signer = await crypto.signer(private_key(portable_did, signing_method(portable_did.document)))
    item = await bep44.sign_item(key, seq, packet, signer)
    response = await http.request(
        "PUT",
        _url(gateway_uri, key),
        headers={"content-type": "application/octet-stream"},
        body=bep44.encode(item),
        timeout=REQUEST_SECONDS,
    )
    reason = await _read(response, _REASON_LIMIT)
    if not 200 <= response.status < 300:
        raise DidError("internalError", _refusal("PUT", response, reason))
    return portable_did.model_copy(update={"metadata": {**metadata, "published": True, "versionId": str(seq)}})


class DidDht:
    """`web5.dids.method.DidMethod` for did:dht.

    Parameters:
        gateway_uri: the base URL of a DID DHT gateway or Pkarr relay.
    """

    name = "dht"

    def __init__(self, http: Http, crypto: Crypto, gateway_uri: str) -> None:
        self._http = http
        self._crypto = crypto
        self._gateway_uri = gateway_uri

    async def resolve(self, did: DidUrl) -> Resolved:
        """Ask the gateway; the signature is checked, so a gateway cannot make a document up.

        Raises:
            DidError: as `web5.dids.method.DidMethod` says; notFound only if the gateway said so.
            RemoteError: the gateway was not reached.
        """
        key = identity_key(did.uri)
        response = await self._http.request("GET", _url(self._gateway_uri, key), timeout=REQUEST_SECONDS)
        body = await _read(response, bep44.PAYLOAD_LIMIT + 1)
        if response.status == 404:
            raise DidError("notFound", f"Pkarr record not found for: {did.id}")
        if response.status != 200:
            raise DidError("internalError", _refusal("GET", response, body))
        item = bep44.parse_relay_payload(key, body)
        if not await bep44.verify_item(item, self._crypto):
            raise DidError("invalidSignature", "Invalid signature for DHT BEP44 message")
        content = from_packet(did.uri, item.value)
        metadata = content.metadata | await dht_rotation.told(content.previous, did.uri, self._crypto)
        return Resolved(content.document, {**metadata, "versionId": str(item.seq)}, content.ttl)


def _url(gateway_uri: str, key: bytes) -> str:
    return f"{gateway_uri.rstrip('/')}/{z32_encode(key)}"


def _refusal(method: str, response: HttpResponse, body: bytes) -> str:
    words = body[:_REASON_LIMIT].decode("utf-8", "replace").strip()
    return f"the DID DHT gateway answered {method} with {response.status}" + (f": {words}" if words else "")


async def _read(response: HttpResponse, limit: int) -> bytes:
    """The body, up to a little over `limit` bytes: a gateway is not trusted to be brief."""
    body = bytearray()
    try:
        async for chunk in response.chunks():
            body += chunk
            if len(body) >= limit:
                break
    finally:
        await response.close()
    return bytes(body)
