"""did:jwk: the DID is the key (https://github.com/quartzjer/did-jwk/blob/main/spec.md; `@web5/dids` `did-jwk.ts`).

As in the reference a key is in all relationships, unless its `use` says otherwise. A private key is refused, as the
specification demands.
"""

from __future__ import annotations

import json
from typing import Literal

from web5 import strict_json
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.crypto.jose.jwk import public_jwk
from web5.dids.keys import given_or_new_key
from web5.dids.models import RELATIONSHIPS, DidDocument, PortableDid, Resolved
from web5.dids.uri import DidUrl
from web5.errors import CryptoError, DidError
from web5.ports.crypto import Crypto, Jwk, KeyAlgorithm

_BY_USE = {"sig": frozenset(RELATIONSHIPS) - {"keyAgreement"}, "enc": frozenset({"keyAgreement"})}


class DidJwk:
    """A `DidMethod` for did:jwk; it needs no network."""

    name = "jwk"

    async def resolve(self, did: DidUrl) -> Resolved:
        try:
            key = strict_json.parse(b64url_decode(did.id).decode())
        except (CryptoError, ValueError) as error:
            raise DidError("invalidDid", f"{did.uri[:100]} is not a JWK in base64url") from error
        if not isinstance(key, dict) or "d" in key:
            raise DidError("invalidDid", f"{did.uri[:100]} is not a public JWK")
        return Resolved(_document(did.uri, key), {})


async def create(
    crypto: Crypto,
    algorithm: KeyAlgorithm = "Ed25519",
    *,
    use: Literal["sig", "enc"] | None = None,
    private_jwk: Jwk | None = None,
) -> PortableDid:
    """Make a key and its DID.

    Parameters:
        use: the key's `use`; without it the key is in all relationships, also in those that it cannot serve.
        private_jwk: a key that exists already; by default a new one.

    Raises:
        InvalidArgument: `private_jwk` is not a private one of `algorithm`.
        CryptoError: `private_jwk` is malformed.
    """
    private = await given_or_new_key(crypto, algorithm, private_jwk)
    if use is not None:
        private["use"] = use
    key = public_jwk(private)
    uri = f"did:jwk:{b64url_encode(json.dumps(key, separators=(',', ':')).encode())}"
    return PortableDid(uri=uri, document=_document(uri, key), metadata={}, private_keys=[private])


def _document(uri: str, key: Jwk) -> DidDocument:
    method_id = f"{uri}#0"
    use = key.get("use")
    relationships = _BY_USE.get(use if isinstance(use, str) else "", RELATIONSHIPS.keys())
    return DidDocument.from_wire(
        {
            "@context": ["https://www.w3.org/ns/did/v1"],
            "id": uri,
            "verificationMethod": [{"id": method_id, "type": "JsonWebKey", "controller": uri, "publicKeyJwk": key}],
            **{name: [method_id] for name in RELATIONSHIPS if name in relationships},
        }
    )
