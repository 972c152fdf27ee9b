"""One visit to one endpoint: list what is new, fetch it, send what is missing there.

Invariants:
1. A message that another endpoint brought is sent only after this one has listed its messages: no echo.
2. An endpoint that has lost messages is noticed, by its log that misses its end or is another, or that others have
   filled again (`audit.unlisted`), by a message that is gone (where the last is replaced here, by another that it
   has not just listed), by a dependency that it says is not there, by what it lists and does not give, or a day later;
   it is then asked for all that it has (ledger invariant 7).
3. A visit ends only when neither direction can go on without time or other endpoints.
4. A tenant that the endpoint does not know is registered in the visit, if that needs nobody's consent; the visit then
   begins anew, once.
5. A visit that ends in an error settles nothing by that: it is recorded as failed, and its work is done again. While
   an endpoint's pause lasts, a visit asks it nothing.
6. Who lists messages that it does not give, or that are of no use, is asked for a few a minute (`plan.budget`). Who
   seems to have lost some time and again, and has not, is asked for everything every ten minutes, or every forty where
   it was offered much in vain.
7. A visit that moves nothing in a direction because all of it was refused, earlier or now, is recorded as no success,
   whatever else was answered; the endpoint is visited, woken and asked as one that answers.
8. A delegate whose grants to sync have ended asks for nothing, and still sends what it wrote; the visit says so. That
   the endpoint has lost it shows when some of it is sent again, once a day or after a dependency is not there.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TypeVar

from web5.dwn.store.protocols import superseded
from web5.errors import AskedToWait, CryptoError, DidError, IdentityError, Web5Error
from web5.remote.pauses import TOO_MANY
from web5.sync.exchange.audit.displaced import look_after
from web5.sync.exchange.audit.resend import send_again_if_lost
from web5.sync.exchange.context import SyncContext
from web5.sync.exchange.held_back import refusal_that_stands
from web5.sync.exchange.links import Link, Work
from web5.sync.exchange.peer import LONG, Peer
from web5.sync.exchange.pull import Pull
from web5.sync.exchange.push import Push
from web5.sync.ledger.cursors import LogPosition
from web5.sync.ledger.ledger import Endpoint
from web5.sync.ledger.outbox import WINDOW
from web5.sync.plan.budget import OFFERED, PAGE
from web5.sync.plan.policy import FRUITLESS, LONGEST, Outcome, classify_error
from web5.sync.states import Listing, SyncEvent

log = logging.getLogger(__name__)

T = TypeVar("T")

WakeOthers = Callable[[Link, Work], None]
"""Called with a link that has brought something, or gave up messages that others may fetch, and the work for them."""

FRESH_SECONDS = 1.0
"""The time for which a listing counts as made just now."""

SUSPECT_SECONDS = 600.0
"""The least time between two listings of everything that lost dependencies lead to."""

AUDIT_SECONDS = 86_400.0
"""The time after which an endpoint is asked for everything, whatever its listings say."""


async def visit_endpoint(context: SyncContext, wake_others: WakeOthers, link: Link, work: Work) -> Outcome | None:
    """Make one visit; return why it ended early, or None (invariant 5)."""
    link.crash = link.refusal = None
    try:
        failure = await _visit(context, wake_others, link, work)
    except Exception as error:
        cause = _cause(error)
        failure = classify_error(cause)
        if not isinstance(cause, Web5Error):
            log.exception("a visit to %s failed", link.url)
            link.crash = error
        with suppress(Exception):  # the ledger may be just what fails
            if (endpoint := context.ledger.endpoint(link.tenant, link.url)) is not None:
                context.ledger.failed(endpoint, failure)
                _count_unsettled(context, link, endpoint)
    link.probed = link.probed and (failure is None or failure.name == FRUITLESS.name)
    shown = failure or link.refusal
    link.total.error = None if shown is None else (shown.code, shown.detail)
    return failure


async def _visit(context: SyncContext, wake_others: WakeOthers, link: Link, work: Work) -> Outcome | None:
    ledger = context.ledger
    endpoint = ledger.endpoint(link.tenant, link.url)
    if endpoint is None:
        return None
    fresh = link.listed_at is not None and context.clock.monotonic() < link.listed_at + FRESH_SECONDS
    asked, listing = context.clock.now(), bool(work & Work.LIST or (work & Work.RELIST and not fresh))
    if endpoint.tried is not None and endpoint.tried > asked:
        ledger.clock_was_put_back(endpoint)
    pauses = context.remote.pauses
    try:
        pauses.check(link.url)
        peer = await context.peer(endpoint, link.total, only_sends=True)
    except AskedToWait as error:
        paused = replace(classify_error(error), not_before=pauses.until(link.url))
        link.reachable = True
        ledger.failed(endpoint, paused)
        return paused
    except (IdentityError, CryptoError, DidError) as error:
        context.key_errors[link.tenant] = str(error)
        return classify_error(error)
    sync = EndpointSync(context, wake_others, link, peer)
    if peer.barred is not None:
        context.key_errors[link.tenant] = str(peer.barred)
        ended = await sync.send_the_rest(work)
        await ledger.database.flush()
        _count_unsettled(context, link, endpoint)
        return ended or classify_error(peer.barred)
    context.key_errors.pop(link.tenant, None)
    failure = await sync.run(work, listing=listing)
    if (registrar := context.registrar) is not None:
        if failure is not None and failure.unregistered and await registrar.register(link.tenant, link.url):
            sync = EndpointSync(context, wake_others, link, peer)
            failure = await sync.run(work, listing=listing)
            if failure is not None and failure.unregistered:
                registrar.record_not_honoured(link.tenant, link.url, failure.detail)
        if failure is None:
            registrar.record_served(link.tenant, link.url)
    if failure is not None:
        failure = replace(failure, not_before=pauses.until(link.url))
    if failure is None or not failure.is_own:
        link.reachable = failure is None or failure.is_fruitless or failure.code != 0
    if failure is None:
        link.refusal = sync.refusal()
        ledger.ended(endpoint, context.clock.now(), asked if listing else None, link.refusal)
    else:
        ledger.failed(endpoint, failure)
    await ledger.database.flush()
    next_due = _count_unsettled(context, link, endpoint)
    if failure is None and next_due is not None:
        link.visit_in(min((next_due - context.clock.now()) / 1_000_000, LONGEST))
    return failure


def _count_unsettled(context: SyncContext, link: Link, endpoint: Endpoint) -> int | None:
    """Count the messages that are left, and return when the first backoff of one ends."""
    sides = [side.summary(endpoint.id) for side in (context.ledger.inbox, context.ledger.outbox)]
    link.total.unsettled = sum(side.unsettled for side in sides)
    link.total.refused = sum(side.refused for side in sides)
    return min((side.next_due for side in sides if side.next_due is not None), default=None)


def _cause(error: Exception) -> Exception:
    """Return the error of a task group that counts: a fault of this program, if there is one."""
    if not isinstance(error, ExceptionGroup):
        return error
    causes = [_cause(one) for one in error.exceptions]
    return next((one for one in causes if not isinstance(one, Web5Error)), causes[0])


class EndpointSync:
    """The work of one visit, once its peer is known."""

    def __init__(self, context: SyncContext, wake_others: WakeOthers, link: Link, peer: Peer) -> None:
        self._context = context
        self._wake_others = wake_others
        self._link = link
        self._peer = peer
        self._ledger = context.ledger
        self._endpoint = peer.endpoint
        self._pull = Pull(context, peer)
        self._push = Push(context, peer)
        self._vanished: set[str] = set()
        self._loss_marked = self._unanswered = False
        self._offered = 0
        self._looks_closer = not link.probed
        self._given: list[str] = []
        self._log_changed = False
        self._before = peer.report.pushed, peer.report.pulled

    async def run(self, work: Work, *, listing: bool) -> Outcome | None:
        """Do the work, after listing new messages if `listing`; return why it ended early, or None."""
        if listing and (failure := await self._list()):
            return failure
        failure = await self._exchange(work)
        if failure is None and self._vanished:
            await self._look_closer()
        doubts = listing or self._push.dependency_lost or self._pull.fruitless
        if failure is None and doubts and self._may_have_lost():
            budget, clock = self._context.audits[self._endpoint.id], self._context.clock
            budget.spend(1, clock.monotonic())
            self._push.stored, pulled = False, self._peer.report.pulled
            failure = await self._audit() or await self._exchange(work)
            if self._push.stored or self._peer.report.pulled > pulled:
                budget.refund(1, clock.monotonic())
            else:
                budget.spend(self._offered / OFFERED, clock.monotonic())
        elif failure is None and self._loss_marked and not self._unanswered:
            self._ledger.nothing_lost(self._endpoint)
        if failure is None and await look_after(self._context, self._peer, self._pull.suspects):
            self._wake_others(self._link, Work.PUSH)
            failure = await self._exchange(work & Work.PUSH)
        return failure or (FRUITLESS if self._pull.fruitless else None)

    async def send_the_rest(self, work: Work) -> Outcome | None:
        """Send what is missing there, of which nothing can be asked; return why it ended early, or None."""
        if not work & Work.PUSH:
            return None
        if self._is_overdue() and self._may_suspect():
            await send_again_if_lost(self._context, self._peer)
        failure = await self._exchange(Work.PUSH)
        if failure is None and self._is_suspect() and await send_again_if_lost(self._context, self._peer):
            failure = await self._exchange(Work.PUSH)
        return failure

    def refusal(self) -> Outcome | None:
        """Return why all that was to be sent, or fetched, is held back; None if that is not so (invariant 7)."""
        (pushed, pulled), report, ledger = self._before, self._peer.report, self._ledger
        return refusal_that_stands(
            ledger.outbox, self._endpoint, self._push.failed, report.pushed - pushed
        ) or refusal_that_stands(ledger.inbox, self._endpoint, self._pull.failed, report.pulled - pulled)

    async def _exchange(self, work: Work) -> Outcome | None:
        going, crash = True, None
        while going:
            going = False
            if work & Work.FETCH and crash is None:
                before = self._link.total.pulled
                try:
                    going = await self._pull.fetch()
                except Exception as error:  # what is made here is sent all the same
                    crash = error
                if going or self._link.total.pulled > before:
                    self._wake_others(self._link, Work.FOLLOW if self._link.total.pulled > before else Work.FETCH)
                if self._pull.halted and not self._pull.halted.is_own:
                    return self._pull.halted
            if work & Work.PUSH:
                going = await self._push.run() or going
                if self._push.restored:
                    self._wake_others(self._link, Work.PUSH)
                if self._push.halted:
                    return self._push.halted
            if work & Work.FETCH and crash is None and not going:
                going = await self._pull.others_ended()
        if crash is not None:
            raise crash
        return self._pull.halted or self._pull.full

    # -- new messages

    async def _list(self) -> Outcome | None:
        named = set[str]()
        for one in self._peer.logs:
            known = self._ledger.cursors.get(self._endpoint.id, one.name)
            unlisted = self._context.unlisted[self._endpoint.id][one.name]
            unlisted.begin()
            listing = await self._listed(partial(self._peer.list_messages, one, known.start))
            if isinstance(listing, Outcome) and listing.code == 400 and known.start is not None:
                # Which cursors an endpoint takes is its own affair: what it refuses now would be refused for ever.
                self._ledger.forget_position(self._endpoint, one.name)
                known = LogPosition()
                listing = await self._listed(partial(self._peer.list_messages, one, None))
            if isinstance(listing, Outcome):
                return listing
            self._log_changed |= not known.is_continued_by(listing)
            if known.repeats_batch and known.last_cid not in listing.cids:
                self._vanished.add(known.last_cid or "")
            elif not self._link.probed and (expected := self._unconfirmed(known, listing)):
                await self._probe(expected)
            if self._vanished and self._looks_closer:
                self._given = self._ledger.outbox.settled(self._endpoint.id, listing.cids)
            self._link.total.listed += len(listing.cids)
            taken_over = True
            if listing.cids:
                missing = self._context.dwn.store.missing(self._link.tenant, listing.cids)
                if known.start is not None:
                    accounted = missing.union(known.batch, named)
                    anew = [cid for cid in unlisted.others(listing.cids) if cid not in accounted]
                    self._log_changed |= self._ledger.outbox.has_settled(self._endpoint.id, anew[:WINDOW])
                named.update(listing.cids)
                # Who has brought it there? Another device, or a stranger: then its data may be missing.
                self._pull.suspects |= self._context.unsent(self._endpoint, listing.cids)
                # After this listing the evidence is gone, and this device may go before it has asked for everything.
                marks = (self._log_changed or bool(self._vanished)) and self._may_audit()
                self._loss_marked |= marks
                now = self._context.clock.now()
                taken_over = self._ledger.listed(self._endpoint, one.name, listing, missing, now, may_have_lost=marks)
            unlisted.ended(listing, whole=taken_over and len(listing.cids) < LONG)
        self._link.listed_at = self._context.clock.monotonic()
        return None

    async def _listed(self, make: Callable[[int], Awaitable[T]]) -> T:
        """List something in as many pages as the endpoint has deserved (invariant 6)."""
        budget, now = self._context.fetches[self._endpoint.id], self._context.clock.monotonic
        before = self._peer.report.requests
        found = await make(int(budget.left(now()) / PAGE))
        budget.spend(PAGE * max(0, self._peer.report.requests - before - 1), now())
        return found

    def _unconfirmed(self, known: LogPosition, listing: Listing) -> str | None:
        """Return a message that should be there, if the listing does not show whether it is."""
        if known.cursor is None:  # it never listed anything, but may have been given something
            return next(iter(self._ledger.outbox.settled(self._endpoint.id, listing.cids)), None)
        return None if known.repeats_batch or listing.cids else known.last_cid

    async def _probe(self, cid: str) -> None:
        """Ask whether a message is still there, where a listing cannot be repeated cheaply."""
        async with self._peer.read(cid) as reply:
            code = reply.code if isinstance(reply, Outcome) else 200
        if code == 404:
            self._vanished.add(cid)
        self._link.probed = 200 <= code < 500 and code != TOO_MANY  # else it has told nothing

    async def _look_closer(self) -> None:
        """Probe another message where the last one is replaced here too, so that its loss shows nothing.

        Somebody else may have filled the endpoint again with what was his: what it lacks then is rather new.
        """
        if self._lost():
            return
        if (given := next(self._kept(self._given), None)) is not None:
            await self._probe(given)
            self._unanswered = not self._link.probed  # then the next visit asks for everything

    def _lost(self) -> bool:
        """Return True if a message vanished that is held here; another was superseded, here and there."""
        return any(self._kept(self._vanished))

    def _kept(self, cids: Collection[str]) -> Iterator[str]:
        """Return the messages that are held here and not superseded, also not by what this visit has brought."""
        if cids:
            store, tenant = self._context.dwn.store, self._link.tenant
            replaced = superseded(store, store.tenant(tenant))
            yield from (cid for cid in cids if cid not in replaced and store.has(tenant, cid))

    # -- lost messages

    def _may_have_lost(self) -> bool:
        """Return True if the endpoint may have lost messages (invariant 2)."""
        self._link.doubted |= self._log_changed or self._lost()
        return (self._link.doubted and self._may_audit()) or self._is_suspect() or self._is_overdue()

    def _is_suspect(self) -> bool:
        """Return True if this visit has shown a loss, and none has lately."""
        return (self._push.dependency_lost or self._pull.fruitless) and self._may_suspect()

    def _may_suspect(self) -> bool:
        """Return True if the endpoint has not been suspected lately; from now on it has."""
        link, now = self._link, self._context.clock.monotonic()
        if link.suspected_at is not None and now < link.suspected_at + SUSPECT_SECONDS:
            return False
        link.suspected_at = now
        return True

    def _is_overdue(self) -> bool:
        """Return True if the endpoint has not been asked for everything for a day."""
        if self._endpoint.audited is None:
            return False
        since = self._context.clock.now() - self._endpoint.audited
        return not 0 <= since <= AUDIT_SECONDS * 1_000_000  # before 0 if the clock was ahead then

    def _may_audit(self) -> bool:
        """Return False if it was asked for everything in vain too often lately (invariant 6)."""
        return self._context.audits[self._endpoint.id].left(self._context.clock.monotonic()) >= 1

    async def _audit(self) -> Outcome | None:
        listings = await self._listed(self._peer.list_everything)
        if isinstance(listings, Outcome):
            return listings
        named = [cid for listing in listings.values() for cid in listing.cids]
        missing = self._context.dwn.store.missing(self._link.tenant, named)
        before = self._ledger.inbox.summary(self._endpoint.id).unsettled
        lost = self._ledger.relisted(self._endpoint, listings, missing, self._context.clock.now())
        self._link.doubted, self._offered = False, lost
        self._pull.suspects.update(self._ledger.inbox.variants(self._endpoint.id).values())
        if self._pull.fruitless and self._ledger.inbox.summary(self._endpoint.id).unsettled < before:
            # What it had listed and did not give is replaced there, and listed no more: that was no fault of it.
            self._context.fetches.pop(self._endpoint.id)
            self._pull, suspects = Pull(self._context, self._peer), self._pull.suspects
            self._pull.suspects |= suspects
        if lost:
            self._context.notify(SyncEvent("refilled", self._link.tenant, self._link.url, "push", 0, lost))
        return None
