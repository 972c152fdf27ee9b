"""Resolution of DIDs of several methods, with a cache.

Invariants:
1. `resolve` never raises; what went wrong is in the resolution metadata, as DID Core section 7.1 says.
2. One DID is being looked up once at a time; whoever asks meanwhile waits for that answer.
3. A document that was found once is not lost because its source fails: it is then served as stale, and the metadata
   says so (`stale` and `staleReason`).
4. What was seeded is never forgotten for want of an answer, and only a newer version replaces it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from web5.dids.dht import DidDht
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
    """

    def __init__(self, methods: Iterable[DidMethod], clock: Clock | None = None) -> None:
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
        entry = self._entries.get(did.uri)
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
        return entry.result

    def _found(self, known: _Entry | None, found: Resolved) -> _Entry:
        result = DidResolutionResult(did_document=found.document, did_document_metadata=found.metadata)
        if known is not None and known.seeded and _version(result) <= _version(known.result):
            result = known.result.model_copy(update={"did_resolution_metadata": {}})
        lasts = CACHE_SECONDS if found.ttl is None else min(found.ttl, CACHE_SECONDS)
        return _Entry(result, self._clock.monotonic() + lasts, known is not None and known.seeded)

    def _failed(self, known: _Entry | None, error: DidError) -> _Entry:
        result = DidResolutionResult(did_resolution_metadata={"error": error.code, "errorMessage": str(error)})
        seeded = known is not None and known.seeded
        if known is not None and known.result.did_document and (seeded or error.code not in _ANSWERS):
            result = known.result.model_copy(
                update={"did_resolution_metadata": {"stale": True, "staleReason": str(error)}}
            )
        return _Entry(result, self._clock.monotonic() + RETRY_SECONDS, seeded)

    def _keep(self, uri: str, entry: _Entry) -> None:
        self._entries[uri] = entry
        self._entries.move_to_end(uri)
        if len(self._entries) > CACHE_ENTRIES:
            oldest = next((uri for uri, kept in self._entries.items() if not kept.seeded), uri)
            del self._entries[oldest]


def default_resolver(
    http: Http, crypto: Crypto, clock: Clock, gateway_uri: str, *, web: DidWeb | None = None
) -> UniversalResolver:
    """A resolver for did:dht, by this gateway, and for did:jwk, did:key and did:web.

    Parameters:
        web: where `http` leads to the gateway only, or did:web of localhost is wanted.
    """
    return UniversalResolver([DidDht(http, crypto, gateway_uri), DidJwk(), DidKey(), web or DidWeb(http)], clock)


def _version(result: DidResolutionResult) -> int:
    version = result.did_document_metadata.get("versionId")
    return int(version) if isinstance(version, str) and version.isdecimal() else 0
