"""JSON Web Signatures in the general JSON serialization (RFC 7515, section 7.2.1), as DWN messages carry them.

Verification needs a DID resolver and lives in `web5.dwn`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from web5.crypto.encoding import b64url_encode
from web5.ports.crypto import JoseAlgorithm, RawSigner


@dataclass(frozen=True)
class MessageSigner:
    """A key that signs messages, and the name under which others find it.

    Parameters:
        key_id: the DID URL of the verification method, such as `did:dht:…#0`.
        raw: the private key.
    """

    key_id: str
    raw: RawSigner

    @property
    def did(self) -> str:
        return self.key_id.partition("#")[0]

    @property
    def algorithm(self) -> JoseAlgorithm:
        return self.raw.algorithm


def signing_input(protected: str, payload: str) -> bytes:
    """Join the signed bytes (RFC 7515, section 5.1) of two parts that are base64url already."""
    return f"{protected}.{payload}".encode("ascii")


async def sign(payload: bytes, signers: Sequence[MessageSigner]) -> dict[str, Any]:
    """Sign `payload` with every signer, in order: `{"payload", "signatures": [{"protected", "signature"}]}`.

    The protected header has `kid`, then `alg`, and nothing else (dwn-sdk-js `jose/jws/general/builder.ts`).
    """
    encoded = b64url_encode(payload)
    signatures = []
    for signer in signers:
        header = {"kid": signer.key_id, "alg": signer.algorithm}
        protected = b64url_encode(json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode())
        signature = await signer.raw.sign(signing_input(protected, encoded))
        signatures.append({"protected": protected, "signature": b64url_encode(signature)})
    return {"payload": encoded, "signatures": signatures}
