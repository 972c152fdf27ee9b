"""One visit to one endpoint: ask what is new, fetch it, send what is missing there.

Invariants:
1. What was brought by another endpoint is sent only after this one was asked what it has: no echo.
2. An endpoint that has lost what it held is noticed, by its log that misses its end or is another, by a message that
   is gone, by a dependency that it says is not there, or a day later; it is then asked for all that it has (ledger
   invariant 7).
3. A visit ends only when neither direction can go on without time or others.
4. A tenant that the endpoint does not know is registered in the visit, if that needs nobody's consent; the visit then
   begins anew, once.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from web5.errors import CryptoError, DidError, IdentityError, Web5Error
from web5.sync.exchange.link import Line, Want
from web5.sync.exchange.local import Local
from web5.sync.exchange.peer import GrantsOf, Peer, Remote, SignerFor, feeds_of
from web5.sync.exchange.pull import Pull
from web5.sync.exchange.push import Push
from web5.sync.exchange.registrar import Registrar
from web5.sync.ledger.cursors import Reading
from web5.sync.ledger.ledger import Endpoint
from web5.sync.plan.policy import Verdict, judge_error
from web5.sync.plan.priorities import Wishes
from web5.sync.states import Listing, SyncEvent

FRESH = 1.0
"""Seconds for which a listing counts as made just now."""

DOUBT_SECONDS = 600.0
"""Between two listings of everything that a dependency raises which the endpoint says is not there."""

AUDIT_SECONDS = 86_400.0
"""An endpoint is asked for everything as often as that, whatever its listings say."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Makes visits.

    Parameters:
        tell_others: called with a line that has brought something, or gave up what others may fetch.
        registrar: None: nobody is registered, and endpoints that demand it stay blocked.
    """

    local: Local
    remote: Remote
    signer_for: SignerFor
    grants_of: GrantsOf
    wishes: Wishes
    tell_others: Callable[[Line, Want], None]
    registrar: Registrar | None = None

    async def peer(self, endpoint: Endpoint, signer_of: str | None = None) -> Peer:
        """What talks to an endpoint in the name of its tenant or its delegate, or of `signer_of`.

        Raises:
            IdentityError, CryptoError, DidError: the keys, or the grants, are not at hand.
        """
        ledger = self.local.ledger
        tenant = ledger.tenant(signer_of or endpoint.tenant)
        if tenant is None or signer_of is not None:
            signer = await self.signer_for(tenant.signer if tenant else signer_of or endpoint.tenant)
            return Peer(self.remote, signer, self.local.clock, endpoint)
        feeds = feeds_of(tenant, self.grants_of)
        signer = await self.signer_for(tenant.signer)
        return Peer(self.remote, signer, self.local.clock, endpoint, feeds)

    async def __call__(self, line: Line, want: Want) -> Verdict | None:
        """One visit; returns why it ended early, if it did."""
        local, ledger = self.local, self.local.ledger
        endpoint = ledger.endpoint(line.tenant, line.url)
        if endpoint is None:
            return None
        asked, listing = local.clock.now(), self._is_to_list(line, want)
        try:
            peer = await self.peer(endpoint)
        except (IdentityError, CryptoError, DidError) as error:
            local.key_errors[line.tenant] = str(error)
            return judge_error(error)
        local.key_errors.pop(line.tenant, None)
        peer.report = line.total
        try:
            failed = await self._run(line, peer, want, listing=listing)
            line.reachable = failed is None or failed.code != 0
            if failed is None:
                ledger.succeeded(endpoint, local.clock.now(), asked if listing else None)
            else:
                ledger.failed(endpoint, failed)
            await ledger.database.flush()
        except* Web5Error as errors:
            failed = judge_error(_first(errors))
            self._note(endpoint, failed)
        line.probed = line.probed and failed is None
        line.total.error = None if failed is None else (failed.code, failed.detail)
        line.total.unsettled = ledger.outbox.counts(endpoint.id, line.tenant)[0] + ledger.inbox.counts(endpoint.id)[0]
        if failed is None:
            due = [ledger.inbox.next_due(endpoint.id), ledger.outbox.next_due(endpoint.id)]
            line.wake_at(min((moment for moment in due if moment is not None), default=None))
        return failed

    async def _run(self, line: Line, peer: Peer, want: Want, *, listing: bool) -> Verdict | None:
        failed = await _Visit(self, line, peer).run(want, listing=listing)
        if self.registrar is None:
            return failed
        if failed is not None and failed.unregistered and await self.registrar.register(line.tenant, line.url):
            failed = await _Visit(self, line, peer).run(want, listing=listing)
            if failed is not None and failed.unregistered:
                self.registrar.not_honoured(line.tenant, line.url, failed.detail)
        if failed is None:
            self.registrar.welcomed(line.tenant, line.url)
        return failed

    def _is_to_list(self, line: Line, want: Want) -> bool:
        fresh = line.listed_at is not None and self.local.clock.monotonic() < line.listed_at + FRESH
        return bool(want & Want.LIST) or bool(want & Want.RELIST and not fresh)

    def _note(self, endpoint: Endpoint, failed: Verdict) -> None:
        with suppress(Web5Error):  # the ledger may be just what fails
            self.local.ledger.failed(endpoint, failed)


class _Visit:
    def __init__(self, visitor: Visitor, line: Line, peer: Peer) -> None:
        self._visitor = visitor
        self._line = line
        self._peer = peer
        self._local = visitor.local
        self._ledger = visitor.local.ledger
        self._endpoint = peer.endpoint
        self._pull = Pull(peer, self._local, visitor.wishes.of(line.tenant))
        self._push = Push(peer, self._local)
        self._witnesses: set[str] = set()
        self._is_another = False

    async def run(self, want: Want, *, listing: bool) -> Verdict | None:
        if listing and (failed := await self._list()):
            return failed
        failed = await self._exchange(want)
        if failed is None and (listing or self._push.doubtful) and self._is_doubtful():
            failed = await self._audit() or await self._exchange(want)
        return failed

    async def _exchange(self, want: Want) -> Verdict | None:
        going = True
        while going:
            going = False
            if want & Want.FETCH:
                going = await self._fetch()
                if self._pull.halted:
                    return self._pull.halted
            if want & Want.PUSH:
                going = await self._push.run() or going
                if self._push.halted:
                    return self._push.halted
        return None

    async def _fetch(self) -> bool:
        before = self._line.total.pulled
        fetched = await self._pull.fetch()
        if self._line.total.pulled > before:
            self._visitor.tell_others(self._line, Want.FOLLOW)
        elif fetched:
            self._visitor.tell_others(self._line, Want.FETCH)
        return fetched

    # -- what it has

    async def _list(self) -> Verdict | None:
        for feed in self._peer.feeds:
            known = self._ledger.feeds.get(self._endpoint.id, feed.name)
            listing = await self._peer.listing(feed, known.start)
            if isinstance(listing, Verdict):
                return listing
            self._is_another = self._is_another or not known.is_continued_by(listing)
            if known.repeats and known.witness not in listing.cids:
                self._witnesses.add(known.witness or "")
            elif not self._line.probed and (unseen := self._unseen(known, listing)):
                await self._probe(unseen)
            self._line.total.listed += len(listing.cids)
            if listing.cids:
                missing = self._local.dwn.store.missing(self._line.tenant, listing.cids)
                self._ledger.listed(self._endpoint, feed.name, listing, missing, self._local.clock.now())
        self._line.listed_at = self._local.clock.monotonic()
        return None

    def _unseen(self, known: Reading, listing: Listing) -> str | None:
        """A message that should be there, if the listing does not show whether it is."""
        if known.cursor is None:  # it never listed anything, but may have been given something
            given = self._ledger.outbox.first_settled(self._endpoint.id, self._line.tenant)
            return None if given in listing.cids else given
        return None if known.repeats or listing.cids else known.witness

    async def _probe(self, witness: str) -> None:
        """Is a message still there? Asked where a listing cannot be repeated cheaply."""
        async with self._peer.read(witness) as reply:
            if isinstance(reply, Verdict) and reply.code == 404:
                self._witnesses.add(witness)
        self._line.probed = True

    # -- what it has lost

    def _is_doubtful(self) -> bool:
        """Whether it may have lost what it held (invariant 2). What is superseded here, is so there too."""
        store, line, endpoint = self._local.dwn.store, self._line, self._endpoint
        if self._is_another or any(store.has(line.tenant, witness) for witness in self._witnesses):
            return True
        now = self._local.clock.monotonic()
        if self._push.doubtful and (line.doubted_at is None or now >= line.doubted_at + DOUBT_SECONDS):
            line.doubted_at = now
            return True
        if endpoint.audited is None:
            return False
        since = self._local.clock.now() - endpoint.audited
        return not 0 <= since <= AUDIT_SECONDS * 1_000_000  # before 0 if the clock was ahead then

    async def _audit(self) -> Verdict | None:
        listings = await self._peer.everything()
        if isinstance(listings, Verdict):
            return listings
        named = [cid for listing in listings.values() for cid in listing.cids]
        missing = self._local.dwn.store.missing(self._line.tenant, named)
        lost = self._ledger.relisted(self._endpoint, listings, missing, self._local.clock.now())
        if lost:
            self._local.notify(SyncEvent("refilled", self._line.tenant, self._line.url, "push", 0, lost))
        return None


def _first(errors: BaseExceptionGroup[Web5Error]) -> Web5Error:
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
