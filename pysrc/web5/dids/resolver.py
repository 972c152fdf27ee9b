"""Resolution of DIDs of several methods, with a cache, and dereferencing of DID URLs.

Invariants:
1. `resolve` never raises; failures are in the resolution metadata (DID Core, section 7.1).
2. One DID is looked up once at a time; concurrent callers wait for the same answer.
3. A document that was found once is not lost because its source fails: it is then served as stale, and the metadata
   say so (`stale` and `staleReason`).
4. A seed is never lost because its source fails, and only a newer version replaces it.
5. A document is never replaced by an older version of it.
6. Documents are written to the `DidCache` too, so that invariant 3 and the time to live hold across restarts. Seeds
   are not: whoever seeds has the document. Failures of the cache cost time, never an answer.
7. What strangers have it resolve takes a bounded number of bytes. Failures do not drive out documents, nor do those
   that are made from a DID alone; of these, long ones are not kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from web5.dids.dht.bep44 import version_of
from web5.dids.dht.gateways import Gateways
from web5.dids.dht.method import DidDht
from web5.dids.jwk import DidJwk
from web5.dids.key import DidKey
from web5.dids.models import DidDereferencingResult, DidDocument, DidResolutionResult, PortableDid, Resolved
from web5.dids.uri import DidUrl, parse_did
from web5.dids.web import DidWeb
from web5.errors import DidError, NoGateway, RemoteError
from web5.lru import LruCache, footprint
from web5.ports.clock import Clock, SystemClock
from web5.ports.crypto import Crypto
from web5.ports.http import Http

CACHE_SECONDS = 15 * 60
"""`@web5/dids` `resolver-cache-level.ts`; a document whose publisher allows less is kept for less."""

RETRY_SECONDS = 5
"""Time for which a failure is cached, and a stale document is served before its source is asked again."""

CACHE_ENTRIES = 4096
CACHE_BYTES = 64 << 20
FAILURES = 1024
FAILURES_BYTES = 2 << 20
SELF_CONTAINED = 512

SHORT = 512
"""Characters of a DID whose document is made from the DID alone, up to which that document is kept."""

_SELF_CONTAINED = frozenset({"jwk", "key"})
"""Methods whose document is made from the DID alone, which is cheaper than to store it."""

_MODELS = 3
"""The memory of a document's models as a multiple of its JSON's, at most."""

_DEFINITE = frozenset({"notFound"})
"""Failures that are the source's answer: a document that was found there earlier is not served after them."""

_DOCUMENT_TYPE = "application/did+json"


class DidMethod(Protocol):
    @property
    def name(self) -> str:
        """The method's name in a DID, such as "dht"."""

    async def resolve(self, did: DidUrl) -> Resolved:
        """Find the document of a DID of this method.

        Raises:
            DidError: with a DID Core error code.
        """


class DidResolver(Protocol):
    async def resolve(self, did_uri: str) -> DidResolutionResult:
        """Resolve a DID. Never raises: see `didResolutionMetadata.error`."""


async def dwn_endpoints(resolver: DidResolver, did: str) -> list[str]:
    """Resolve the URLs of a DID's DWNs.

    Raises:
        DidError: the DID cannot be resolved now, or this is none but a DID URL, which is nobody's name.
        NoGateway: it is a did:dht, and there is none to ask.
    """
    if (parsed := parse_did(did)) is not None and parsed.uri != did:
        raise DidError("invalidDid", f"{did[:500]} is a part of something: name the DID alone, {parsed.uri[:500]}")
    result = await resolver.resolve(did)
    if result.did_document is None:
        if result.did_resolution_metadata.get(NoGateway.MARK):
            raise NoGateway
        message = str(result.did_resolution_metadata.get("errorMessage", f"{did} cannot be resolved"))
        raise DidError(result.error or "internalError", message.removeprefix(f"{result.error}: "))
    return result.did_document.dwn_endpoints


@dataclass(frozen=True)
class CachedDocument:
    """A document that its method found and checked.

    Parameters:
        metadata: its document metadata.
        expires: the time from which it is looked up again (microseconds since 1970).
    """

    document: DidDocument
    metadata: dict[str, Any]
    expires: int


class DidCache(Protocol):
    """Documents by DID. It may lose any of them at any time, and raises nothing."""

    def load(self, did: str) -> CachedDocument | None:
        """Return the document that was kept last, also if it has expired."""

    def keep(self, did: str, cached: CachedDocument) -> None:
        """Replace the document of a DID. It need not be durable on return."""

    def drop(self, did: str) -> None:
        """Remove the document of a DID."""


@dataclass
class _Entry:
    result: DidResolutionResult
    expires: float
    seeded: bool = False


class UniversalResolver:
    """`DidResolver` over DID methods.

    Parameters:
        methods: at most one for each method name.
        clock: the clock of the cache.
        cache: documents that outlive the process; by default none do.
    """

    def __init__(self, methods: Iterable[DidMethod], clock: Clock | None = None, cache: DidCache | None = None) -> None:
        self._cache = cache
        self._methods = {method.name: method for method in methods}
        self._clock = clock or SystemClock()
        self._documents: LruCache[str, _Entry] = LruCache(CACHE_ENTRIES, CACHE_BYTES)
        self._self_contained: LruCache[str, _Entry] = LruCache(SELF_CONTAINED)
        self._failures: LruCache[str, _Entry] = LruCache(FAILURES, FAILURES_BYTES)
        self._seeds: dict[str, _Entry] = {}
        self._running: dict[str, asyncio.Task[DidResolutionResult]] = {}

    async def resolve(self, did_uri: str) -> DidResolutionResult:
        """Resolve a DID, or the DID of a DID URL. Never raises (invariant 1)."""
        did = parse_did(did_uri)
        if did is None:
            return DidResolutionResult.failed("invalidDid", f"Invalid DID URI: {str(did_uri)[:100]}")
        method = self._methods.get(did.method)
        if method is None:
            return DidResolutionResult.failed("methodNotSupported", f"Method not supported: {did.method}")
        entry = self._known(did)
        if entry is not None and self._clock.monotonic() < entry.expires:
            return entry.result
        task = self._running.get(did.uri)
        if task is None:
            task = self._running[did.uri] = asyncio.ensure_future(self._look_up(method, did))
            task.add_done_callback(lambda done: self._end(did.uri, done))
        # Shielded: a caller that is cancelled must not cancel the others.
        return await asyncio.shield(task)

    def seed(self, portable_did: PortableDid) -> None:
        """Let this DID resolve at once to its own document, published or not."""
        result = DidResolutionResult(
            did_document=portable_did.document, did_document_metadata=dict(portable_did.metadata)
        )
        self._keep(portable_did.uri, _Entry(result, self._clock.monotonic() + CACHE_SECONDS, seeded=True))

    def forget(self, did_uri: str) -> None:
        """Remove a DID from the cache, a seed too, so that the next resolution asks its source."""
        self._drop(did_uri)
        self._seeds.pop(did_uri, None)
        self._running.pop(did_uri, None)
        if self._cache is not None:
            self._cache.drop(did_uri)

    def _known(self, did: DidUrl) -> _Entry | None:
        entry = self._in_memory(did.uri)
        if entry is not None or self._cache is None or did.method in _SELF_CONTAINED:
            return entry
        cached = self._cache.load(did.uri)
        if cached is None:
            return None
        result = DidResolutionResult(did_document=cached.document, did_document_metadata=cached.metadata)
        now = self._clock.now()
        latest = now + int(CACHE_SECONDS * 1_000_000)
        if cached.expires > latest:
            # The machine's clock was set back meanwhile: from now on it lasts as long as it would have lasted here.
            cached = replace(cached, expires=latest)
            self._cache.keep(did.uri, cached)
        entry = _Entry(result, self._clock.monotonic() + (cached.expires - now) / 1_000_000)
        self._keep(did.uri, entry)
        return entry

    def _end(self, uri: str, task: asyncio.Task[DidResolutionResult]) -> None:
        if self._running.get(uri) is task:
            del self._running[uri]

    async def _look_up(self, method: DidMethod, did: DidUrl) -> DidResolutionResult:
        try:
            found: Resolved | DidError = await method.resolve(did)
        except DidError as error:
            found = error
        except RemoteError as error:
            found = DidError("internalError", str(error))
        except Exception as error:
            # A bug; it must not stop every other identity (invariant 1), and it is reported.
            found = DidError("internalError", f"{type(error).__name__}: {error}")
        known = self._in_memory(did.uri)
        entry = self._failed(known, found) if isinstance(found, DidError) else self._found(known, found)
        if self._running.get(did.uri) is asyncio.current_task():  # otherwise it was forgotten meanwhile
            self._keep(did.uri, entry)
            self._remember(did, found, entry)
        return entry.result

    def _found(self, known: _Entry | None, found: Resolved) -> _Entry:
        result = DidResolutionResult(did_document=found.document, did_document_metadata=found.metadata)
        if known is not None and known.result.did_document is not None:
            newer = version_of(known.result.did_document_metadata) - version_of(found.metadata)
            if newer > 0 or (newer == 0 and known.seeded):
                result = known.result
        result = result.model_copy(update={"did_resolution_metadata": found.resolution})
        lasts = CACHE_SECONDS if found.ttl is None else min(found.ttl, CACHE_SECONDS)
        return _Entry(result, self._clock.monotonic() + lasts, known is not None and known.seeded)

    def _failed(self, known: _Entry | None, error: DidError) -> _Entry:
        metadata = {"error": error.code, "errorMessage": str(error)}
        result = DidResolutionResult(did_resolution_metadata={**metadata, **error.details})
        seeded = known is not None and known.seeded
        if known is not None and known.result.did_document and (seeded or error.code not in _DEFINITE):
            stale = {"stale": True, "staleReason": str(error)}
            result = known.result.model_copy(update={"did_resolution_metadata": {**stale, **error.details}})
        return _Entry(result, self._clock.monotonic() + RETRY_SECONDS, seeded)

    def _remember(self, did: DidUrl, found: Resolved | DidError, entry: _Entry) -> None:
        if self._cache is None or did.method in _SELF_CONTAINED or entry.seeded:
            return
        document = entry.result.did_document
        if document is None:
            if isinstance(found, DidError) and found.code in _DEFINITE:
                self._cache.drop(did.uri)
        elif isinstance(found, Resolved):
            expires = self._clock.now() + int((entry.expires - self._clock.monotonic()) * 1_000_000)
            self._cache.keep(did.uri, CachedDocument(document, entry.result.did_document_metadata, expires))

    def _keep(self, uri: str, entry: _Entry) -> None:
        self._drop(uri)
        if entry.seeded:
            self._seeds[uri] = entry
        elif uri.split(":")[1] in _SELF_CONTAINED:
            if len(uri) <= SHORT:
                self._self_contained.put(uri, entry)
        else:
            cache = self._failures if entry.result.did_document is None else self._documents
            cache.put(uri, entry, _MODELS * footprint(entry.result.to_wire()))

    def _in_memory(self, uri: str) -> _Entry | None:
        if (seed := self._seeds.get(uri)) is not None:
            return seed
        return self._documents.get(uri) or self._self_contained.get(uri) or self._failures.get(uri)

    def _drop(self, uri: str) -> None:
        for cache in (self._documents, self._self_contained, self._failures):
            cache.drop(uri)


def default_resolver(
    http: Http,
    crypto: Crypto,
    clock: Clock,
    *gateway_uris: str,
    gateways: Gateways | None = None,
    cache: DidCache | None = None,
    web: DidWeb | None = None,
) -> UniversalResolver:
    """Return a resolver for did:dht, by these gateways, and for did:jwk, did:key and did:web.

    Parameters:
        gateways: in the place of `gateway_uris`, gateways that may be others later.
        web: by default did:web over `http`, without localhost.
    """
    dht = DidDht(gateways or Gateways(http, crypto, gateway_uris, clock), crypto)
    return UniversalResolver([dht, DidJwk(), DidKey(), web or DidWeb(http)], clock, cache)


async def dereference(resolver: DidResolver, did_url: str) -> DidDereferencingResult:
    """Return the verification method or service that a DID URL's fragment names, or the document if it has none.

    As in the reference a URL with a query leads to the document too, and a path is ignored; a method that is embedded
    in a verification relationship is found here as well (DID Core, section 7.2; `@web5/dids` `universal-resolver.ts`).

    Never raises: failures are in `dereferencing_metadata`: invalidDidUrl, notFound, or the error of the resolution.
    """
    url = parse_did(did_url)
    if url is None:
        return DidDereferencingResult.failed("invalidDidUrl", f"Invalid DID URL: {str(did_url)[:100]}")
    resolution = await resolver.resolve(url.uri)
    document = resolution.did_document
    if document is None:
        return DidDereferencingResult(dereferencing_metadata=dict(resolution.did_resolution_metadata))
    metadata = {"contentType": _DOCUMENT_TYPE}
    if not url.fragment or url.query:
        return DidDereferencingResult(
            dereferencing_metadata=metadata,
            content_stream=document,
            content_metadata=dict(resolution.did_document_metadata),
        )
    reference = f"{url.uri}#{url.fragment}"
    part = document.find_service(reference) or document.find_method(reference)
    if part is None:
        return DidDereferencingResult.failed("notFound", f"{url.uri} has neither a key nor a service #{url.fragment}")
    return DidDereferencingResult(dereferencing_metadata=metadata, content_stream=part)
