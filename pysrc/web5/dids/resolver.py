"""Resolution of DIDs of several methods, with a cache.

Invariants:
1. `resolve` never raises; what went wrong is in the resolution metadata, as DID Core section 7.1 says.
2. One DID is being looked up once at a time; whoever asks meanwhile waits for that answer.
3. A document that was found once is not lost because its source fails: it is then served as stale, and the metadata
   says so (`stale` and `staleReason`).
4. What was seeded is never forgotten for want of an answer, and only a newer version replaces it.
5. A document is never replaced by an older version of it.
6. What was found is kept in the `DidCache` too, so that invariant 3 and the waiting time hold across restarts. A seed
   is not: whoever seeds has it. The cache's own failures cost time, never an answer.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from web5.dids.cache import DidCache, KeptDocument, NoCache
from web5.dids.dht.bep44 import version_of
from web5.dids.dht.gateways import Gateways
from web5.dids.dht.method import DidDht
from web5.dids.jwk import DidJwk
from web5.dids.key import DidKey
from web5.dids.method import DidMethod, Resolved
from web5.dids.models import DidResolutionResult, PortableDid
from web5.dids.uri import DidUrl, parse_did
from web5.dids.web import DidWeb
from web5.errors import DidError, RemoteError
from web5.ports.clock import Clock, SystemClock
from web5.ports.crypto import Crypto
from web5.ports.http import Http

CACHE_SECONDS = 15 * 60
"""`@web5/dids` `resolver-cache-level.ts`; a document whose publisher allows less is kept for less."""

RETRY_SECONDS = 5
"""How long a failure is believed, and how long a stale document is served before its source is asked again."""

CACHE_ENTRIES = 4096

_IN_THE_DID = frozenset({"jwk", "key"})
"""Methods whose document is made of the DID alone: to keep it would cost more than to make it."""

_ANSWERS = frozenset({"notFound"})
"""Failures that are the source's answer, so a document that was only found there earlier does not outlive them."""


class DidResolver(Protocol):
    async def resolve(self, did_uri: str) -> DidResolutionResult:
        """The document of a DID. Never raises: see `didResolutionMetadata.error`."""


@dataclass
class _Entry:
    result: DidResolutionResult
    expires: float
    seeded: bool = False


class UniversalResolver:
    """`DidResolver` over DID methods.

    Parameters:
        methods: at most one for each method name.
        clock: where the time for the cache comes from.
        cache: what outlives the process; by default nothing does.
    """

    def __init__(self, methods: Iterable[DidMethod], clock: Clock | None = None, cache: DidCache | None = None) -> None:
        self._cache = cache or NoCache()
        self._methods = {method.name: method for method in methods}
        self._clock = clock or SystemClock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._running: dict[str, asyncio.Task[DidResolutionResult]] = {}

    async def resolve(self, did_uri: str) -> DidResolutionResult:
        """The document of a DID, or of the DID in a DID URL."""
        did = parse_did(did_uri)
        if did is None:
            return DidResolutionResult.failed("invalidDid", f"Invalid DID URI: {str(did_uri)[:100]}")
        method = self._methods.get(did.method)
        if method is None:
            return DidResolutionResult.failed("methodNotSupported", f"Method not supported: {did.method}")
        entry = self._known(did)
        if entry is not None and self._clock.monotonic() < entry.expires:
            self._entries.move_to_end(did.uri)
            return entry.result
        task = self._running.get(did.uri)
        if task is None:
            task = self._running[did.uri] = asyncio.ensure_future(self._look_up(method, did))
            task.add_done_callback(lambda done: self._end(did.uri, done))
        # Shielded: one caller who gives up must not take the answer from the others.
        return await asyncio.shield(task)

    def seed(self, portable_did: PortableDid) -> None:
        """Let this DID resolve at once to its own document, published or not."""
        result = DidResolutionResult(
            did_document=portable_did.document, did_document_metadata=dict(portable_did.metadata)
        )
        self._keep(portable_did.uri, _Entry(result, self._clock.monotonic() + CACHE_SECONDS, seeded=True))

    def forget(self, did_uri: str) -> None:
        """Ask the source anew at the next resolution; a seed is given up too."""
        self._entries.pop(did_uri, None)
        self._running.pop(did_uri, None)
        self._cache.drop(did_uri)

    def _known(self, did: DidUrl) -> _Entry | None:
        """What is in memory, or else what was kept before this process began."""
        entry = self._entries.get(did.uri)
        if entry is not None or did.method in _IN_THE_DID:
            return entry
        kept = self._cache.load(did.uri)
        if kept is None:
            return None
        result = DidResolutionResult(did_document=kept.document, did_document_metadata=kept.metadata)
        # The machine's clock may have been set back meanwhile: no document lasts longer than it would have lasted here.
        left = min((kept.expires - self._clock.now()) / 1_000_000, CACHE_SECONDS)
        entry = _Entry(result, self._clock.monotonic() + left)
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
            # A fault of ours; it must not stop every other identity (invariant 1), and it is told.
            found = DidError("internalError", f"{type(error).__name__}: {error}")
        known = self._entries.get(did.uri)
        entry = self._failed(known, found) if isinstance(found, DidError) else self._found(known, found)
        if self._running.get(did.uri) is asyncio.current_task():  # otherwise it was forgotten meanwhile
            self._keep(did.uri, entry)
            self._remember(did, found, entry)
        return entry.result

    def _found(self, known: _Entry | None, found: Resolved) -> _Entry:
        result = DidResolutionResult(
            did_resolution_metadata=found.resolution,
            did_document=found.document,
            did_document_metadata=found.metadata,
        )
        if known is not None and _is_older(found, known):
            result = known.result.model_copy(update={"did_resolution_metadata": found.resolution})
        lasts = CACHE_SECONDS if found.ttl is None else min(found.ttl, CACHE_SECONDS)
        return _Entry(result, self._clock.monotonic() + lasts, known is not None and known.seeded)

    def _failed(self, known: _Entry | None, error: DidError) -> _Entry:
        metadata = {"error": error.code, "errorMessage": str(error)}
        result = DidResolutionResult(did_resolution_metadata={**metadata, **error.details})
        seeded = known is not None and known.seeded
        if known is not None and known.result.did_document and (seeded or error.code not in _ANSWERS):
            stale = {"stale": True, "staleReason": str(error)}
            result = known.result.model_copy(update={"did_resolution_metadata": {**stale, **error.details}})
        return _Entry(result, self._clock.monotonic() + RETRY_SECONDS, seeded)

    def _remember(self, did: DidUrl, found: Resolved | DidError, entry: _Entry) -> None:
        if did.method in _IN_THE_DID or entry.seeded:
            return
        document = entry.result.did_document
        if document is None:
            if isinstance(found, DidError) and found.code in _ANSWERS:
                self._cache.drop(did.uri)
        elif isinstance(found, Resolved):
            expires = self._clock.now() + int((entry.expires - self._clock.monotonic()) * 1_000_000)
            self._cache.keep(did.uri, KeptDocument(document, entry.result.did_document_metadata, expires))

    def _keep(self, uri: str, entry: _Entry) -> None:
        self._entries[uri] = entry
        self._entries.move_to_end(uri)
        if len(self._entries) > CACHE_ENTRIES:
            oldest = next((uri for uri, kept in self._entries.items() if not kept.seeded), uri)
            del self._entries[oldest]


def default_resolver(
    http: Http,
    crypto: Crypto,
    clock: Clock,
    *gateway_uris: str,
    cache: DidCache | None = None,
    web: DidWeb | None = None,
) -> UniversalResolver:
    """A resolver for did:dht, by these gateways, and for did:jwk, did:key and did:web.

    Parameters:
        web: where `http` leads to gateways only, or did:web of localhost is wanted.
    """
    dht = DidDht(Gateways(http, crypto, gateway_uris, clock), crypto)
    return UniversalResolver([dht, DidJwk(), DidKey(), web or DidWeb(http)], clock, cache)


def _is_older(found: Resolved, known: _Entry) -> bool:
    """True if what is known is to stay: it is newer or, for a seed, at least as new."""
    there, here = version_of(found.metadata), version_of(known.result.did_document_metadata)
    return known.result.did_document is not None and (there < here or (there == here and known.seeded))
