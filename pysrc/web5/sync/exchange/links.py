"""The links to all endpoints of all tenants: requested work adds up, and one visit to an endpoint runs at a time.

Invariants:
1. At most one visit of a link runs; work that is requested meanwhile is done by the next, which follows at once.
2. After a visit that failed, only `visit` (somebody asked, or the retry is due) leads to another; a `wake` is kept for
   it. So an endpoint that is down costs one request a try, whatever happens on this side.
3. No link waits for another, and nobody waits for one that is slow (`web5.patience`).
4. There is a link for each endpoint in the ledger, and no other.
5. A tenant whose DID or keys are not at hand holds up nobody else, and its known endpoints are used meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Flag, auto

from web5.dids.resolver import DidResolver, dwn_endpoints
from web5.errors import DidError, StorageError
from web5.patience import wait_patiently
from web5.ports.clock import Clock
from web5.sync.exchange.context import SyncContext
from web5.sync.plan.policy import RECONNECT, Outcome
from web5.sync.states import EndpointReport, SyncEvent
from web5.tasks import TaskSet

REFRESH_SECONDS = 2.0
"""The time that a run waits for a tenant's DID document before it goes on with the known endpoints."""


class Work(Flag):
    """The work of a visit."""

    LIST = auto()
    """List new messages."""
    RELIST = auto()
    """The same, unless they were listed just now."""
    FETCH = auto()
    """Fetch listed messages."""
    PUSH = auto()

    NOTHING = 0
    PULL = LIST | FETCH
    ALL = LIST | FETCH | PUSH
    FOLLOW = RELIST | FETCH | PUSH
    """Another endpoint has brought something: list first whether this one has it already, else it would be an echo."""


@dataclass(eq=False)
class Link:
    """The visits to one endpoint.

    Parameters:
        make_visit: returns why the visit ended early, or None.
        changed: called when visits begin, and when they have ended.
        jitter: returns numbers from 0 to 1.
        total: counts of the work done since this link exists.
        connected: True while a subscription is open.
        reachable: True if a DWN answered the last time; None: it was never asked.
        began: when the visit that runs began (seconds, monotonic), with the bytes moved until then.
        listed_at: when new messages were last listed (likewise).
        doubted: True if it may have lost messages, and was not asked for everything since.
        suspected_at: when everything was last listed because a dependency was lost (likewise).
        probed: True if the endpoint was asked for its last message since it last failed.
        retry_at: when a failing endpoint is visited again (likewise), if that is planned.
        failure: why the last visit ended early; None: it did not.
        refusal: why it moved nothing, though it came to its end (`held_back`).
        crash: the error of the last visit, if it was a fault of this program.
        task: the visit that runs, and those that follow at once.
    """

    tenant: str
    url: str
    clock: Clock
    make_visit: Callable[[Link, Work], Awaitable[Outcome | None]]
    changed: Callable[[], None]
    jitter: Callable[[], float]
    total: EndpointReport = field(init=False)
    connected: bool = False
    reachable: bool | None = None
    began: tuple[float, int] | None = None
    listed_at: float | None = None
    doubted: bool = False
    suspected_at: float | None = None
    probed: bool = False
    retry_at: float | None = None
    failure: Outcome | None = None
    refusal: Outcome | None = None
    crash: Exception | None = None
    task: asyncio.Task[None] | None = None
    _wanted: Work = Work.NOTHING
    _failures: int = 0
    _auto_retry: bool = False
    _timer: asyncio.Task[None] | None = None
    _succeeded: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.total = EndpointReport(self.tenant, self.url)

    # -- requests

    def wake(self, work: Work) -> None:
        """Request work; it is done at once unless the endpoint is failing (invariant 2)."""
        self._wanted |= work
        if self.failure is None or (self.failure.is_fruitless and work & Work.PUSH):
            self._start()

    def is_requested(self, work: Work) -> bool:
        """Return True if all of this work is to be done by a visit that has not begun."""
        return work in self._wanted

    def visit(self, work: Work) -> None:
        """Request work, and visit the endpoint in any case."""
        self._wanted |= work
        self._start()

    def set_auto_retry(self, on: bool) -> None:
        """Retry failed visits, and messages whose backoff is over, without a request; or do so no more."""
        self._auto_retry = on
        if not on:
            self._cancel_timer()

    def visit_in(self, seconds: float) -> None:
        """Plan a visit, if retries are on; replaces the plan before."""
        self._cancel_timer()
        if self._auto_retry:
            self._timer = asyncio.create_task(self._visit_after(max(0.0, seconds)))

    @property
    def visiting(self) -> bool:
        """True while a visit runs, or the next follows at once."""
        return self.task is not None

    async def wait_until_idle(self) -> None:
        """Return when no visit runs and none follows at once."""
        if self.task is not None:
            await asyncio.wait([self.task])

    async def wait_for_success(self) -> None:
        """Return when a visit has ended from now on without a failure."""
        self._succeeded.clear()
        await self._succeeded.wait()

    async def stop(self) -> None:
        """End the visit at once, and forget requested work; return when it has ended."""
        self._wanted = Work.NOTHING
        self.set_auto_retry(False)
        if self.task is not None:
            self.task.cancel()
            await self.wait_until_idle()
            self.task = None  # one that is cancelled before it has begun does not say so

    # -- visits

    def _start(self) -> None:
        if self.task is None and self._wanted:
            self._cancel_timer()
            self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            self.changed()
            while self._wanted:
                work, self._wanted = self._wanted, Work.NOTHING
                self.began = self.clock.monotonic(), self.total.bytes_in + self.total.bytes_out
                self.failure = await self.make_visit(self, work)
                if self.failure is not None:
                    self._wanted |= work
                    self._plan_retry(self.failure.not_before)
                    return
                self._failures = 0
                self.retry_at = None
                self._succeeded.set()
        finally:
            self.began = None
            self.task = None
            self.changed()

    def _plan_retry(self, not_before: int | None) -> None:
        self._failures += 1
        pause = 0.0 if not_before is None else (not_before - self.clock.now()) / 1_000_000
        self.retry_at = self.clock.monotonic() + pause if pause > 0 else None
        if self._auto_retry:
            delay = RECONNECT.spread(self._failures, self.jitter())
            delay = max(delay, pause)
            self.retry_at = self.clock.monotonic() + delay
            self.visit_in(delay)

    async def _visit_after(self, seconds: float) -> None:
        await self.clock.sleep(seconds)
        self._timer = None
        self.visit(self._wanted | Work.FETCH | Work.PUSH)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


@dataclass(eq=False)
class Links:
    """The links of all tenants, each made by `make`; `on_removed` is called when one has ended."""

    context: SyncContext
    resolver: DidResolver
    make: Callable[[str, str], Link]
    on_removed: Callable[[Link], None]
    _links: dict[tuple[str, str], Link] = field(default_factory=dict)
    _refreshing: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _ending: TaskSet = field(default_factory=TaskSet)

    def __iter__(self) -> Iterator[Link]:
        return iter(tuple(self._links.values()))

    def of(self, tenants: Iterable[str]) -> list[Link]:
        wanted = set(tenants)
        return [link for link in self._links.values() if link.tenant in wanted]

    def get(self, tenant: str, url: str) -> Link | None:
        return self._links.get((tenant, url))

    # -- DID documents

    async def refresh_with_timeout(self, tenants: Sequence[str]) -> None:
        """Take over the endpoints of the tenants' DID documents, where these can be resolved.

        Returns after `REFRESH_SECONDS` at the latest, while slow resolutions go on in the background.
        """
        if tenants:
            await asyncio.wait([self._refresh(tenant) for tenant in tenants], timeout=REFRESH_SECONDS)

    def _refresh(self, tenant: str) -> asyncio.Task[None]:
        task = self._refreshing.get(tenant)
        if task is None:
            task = self._refreshing[tenant] = asyncio.create_task(self._take_over(tenant))
            task.add_done_callback(lambda _: self._refreshing.pop(tenant, None))
        return task

    async def _take_over(self, tenant: str) -> None:
        try:
            urls = await dwn_endpoints(self.resolver, tenant)
            known = self.context.ledger.tenant(tenant) is not None
            added, removed = self.context.ledger.set_endpoints(tenant, urls) if known else ([], [])
        except (DidError, StorageError) as error:  # or there is no room to keep the endpoints
            self.context.did_errors[tenant] = str(error)
            return
        self.context.did_errors.pop(tenant, None)
        if known:
            first = not removed and len(added) == len(urls)
            for url in () if first else added:
                self.context.notify(SyncEvent("added", tenant, url))
            for url in removed:
                self.context.notify(SyncEvent("removed", tenant, url))
            self.align(tenant)

    def align(self, tenant: str) -> None:
        """Make and end links as the ledger has endpoints (invariant 4)."""
        urls = [endpoint.url for endpoint in self.context.ledger.endpoints(tenant)]
        for link in self.of([tenant]):
            if link.url not in urls:
                del self._links[tenant, link.url]
                self.on_removed(link)
                self._ending.start(link.stop())
        for url in urls:
            if (tenant, url) not in self._links:
                self._links[tenant, url] = self.make(tenant, url)
        if self.context.ledger.tenant(tenant) is None:
            self.context.did_errors.pop(tenant, None)

    # -- visits

    async def wait_until_idle(self, chosen: Callable[[], Sequence[Link]]) -> set[Link]:
        """Return when no visit of these links runs, or none but of those that are too slow, which are returned."""
        return await wait_patiently(
            lambda: {link: link.task for link in chosen() if link.task is not None},
            lambda link: link.total.progress,
            self._is_awaited,
        )

    def _is_awaited(self, link: Link) -> bool:
        registrar = self.context.registrar
        return link.total.awaited > 0 or (registrar is not None and registrar.works_long(link.tenant, link.url))

    async def stop(self) -> None:
        """End all visits at once; return when they have ended."""
        refreshing = list(self._refreshing.values())
        for task in refreshing:
            task.cancel()
        await asyncio.gather(*(link.stop() for link in self), self._ending.join())
        if refreshing:
            await asyncio.wait(refreshing)
