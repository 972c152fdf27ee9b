"""Persons, their keys and DID documents, and how nodes resolve them: reachable or not, sooner or later."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from web5.cpython.crypto import CPythonCrypto
from web5.crypto.jose.jws import MessageSigner
from web5.dids import key as did_key
from web5.dids.keys import signer_for
from web5.dids.models import DWN_SERVICE, DidDocument, DidResolutionResult, Service
from web5.ports.crypto import Jwk, KeyAlgorithm


class SimCrypto(CPythonCrypto):
    """Real signatures with keys that the seed gives; what was verified once is not verified again."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._known: dict[tuple[str, bytes, bytes], bool] = {}

    async def generate_key(self, algorithm: KeyAlgorithm) -> Jwk:
        assert algorithm == "Ed25519"
        return await self.private_key(algorithm, self._random.randbytes(32))

    async def verify(self, public_jwk: Jwk, data: bytes, signature: bytes) -> bool:
        asked = (public_jwk["x"], data, signature)
        if asked not in self._known:
            self._known[asked] = await super().verify(public_jwk, data, signature)
        return self._known[asked]


@dataclass(frozen=True)
class Person:
    """Somebody with a DID."""

    name: str
    did: str
    signer: MessageSigner
    document: DidDocument

    @classmethod
    async def make(cls, name: str, crypto: SimCrypto) -> Person:
        portable = await did_key.create(crypto)
        return cls(name, portable.uri, await signer_for(portable, crypto), portable.document)


class Directory:
    """The DID documents that are published, since when, and what keeps them from being resolved.

    Attributes:
        gateway_down: nobody can resolve anything.
        unresolvable: DIDs that are not found just now.
    """

    def __init__(self) -> None:
        self._versions: dict[str, list[tuple[float, DidDocument]]] = {}
        self.gateway_down = False
        self.unresolvable: set[str] = set()

    def publish(self, person: Person, endpoints: Sequence[str]) -> None:
        """Publish a person's document, with these endpoints."""
        service = Service(id="#dwn", type=DWN_SERVICE, service_endpoint=list(endpoints))
        document = person.document.model_copy(update={"service": [service]})
        self._versions.setdefault(person.did, []).append((_now(), document))

    def document(self, did: str, lag: float) -> DidDocument | None:
        """Return the document as it was published so many seconds ago, or the first."""
        versions = self._versions.get(did, [])
        visible = [document for since, document in versions if since <= _now() - lag]
        return visible[-1] if visible else (versions[0][1] if versions else None)


class SimResolver:
    """The `DidResolver` of one node.

    Parameters:
        lag: seconds after which a change of a document is seen, as a cache makes it; `None`: the network is not asked
            at all (a node that knows the keys of its own identities).
    """

    def __init__(self, directory: Directory, lag: float | None) -> None:
        self._directory = directory
        self.lag = lag

    async def resolve(self, did_uri: str) -> DidResolutionResult:
        directory = self._directory
        if self.lag is not None and (directory.gateway_down or did_uri in directory.unresolvable):
            return DidResolutionResult.failed("internalError", f"{did_uri} cannot be resolved: the gateway is down")
        document = directory.document(did_uri, self.lag or 0.0)
        if document is None:
            return DidResolutionResult.failed("notFound", f"{did_uri} is not published")
        return DidResolutionResult(did_document=document)


def _now() -> float:
    return asyncio.get_running_loop().time()
