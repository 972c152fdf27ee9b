"""Registers tenants with the endpoints that demand it.

Invariants:
1. Nothing is agreed to in a person's name: terms of service are accepted, and a proof of work beyond `MOST_HASHES` is
   done, only after `accept_terms`, `accept_work`. Other terms, or twice the work, ask anew. Empty terms need no
   consent. The code of an invitation is the person's to give (`use_invitation`), goes to that endpoint alone, and is
   forgotten once it is refused.
2. One registration of a tenant with an endpoint runs at a time, and no oftener than the backoffs say, whatever the
   endpoint answers: it can make this device compute no more than that.
3. Consent, and the state of each registration, outlive the process; a proof of work in progress does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from math import inf

from web5.crypto.proof_of_work import solve
from web5.dwn.store.database import Database
from web5.dwn.values.timestamps import microseconds, moment_of
from web5.errors import InvalidArgument, RegistrationError, RegistrationReason, RemoteError
from web5.ports.clock import Clock
from web5.remote.registration import Demands, RegistrationClient, registration_data
from web5.sync.ledger.registrations import RegistrationStore
from web5.sync.plan.policy import HOUR, SLOWLY, SOON, Backoff
from web5.sync.states import Registration, RegistrationState
from web5.urls import same_endpoint

MOST_HASHES = 2**26
"""The most hashes, on average, of a proof of work that is done unasked: four times what the reference's servers ask
by default; a minute on CPython, three in a browser."""

SOLVE_SECONDS = 240.0
"""The time after which a challenge is replaced by a fresh one, which costs nothing (`proof_of_work`): a server forgets
it after ten minutes at the earliest."""

TRIES = 6
"""The number of challenges after which a registration counts as failed."""

RESET_SECONDS = HOUR
"""The time after a registration at which the attempt counter is reset."""

LONG_SECONDS = 30.0
"""The time after which a proof of work is a long one."""

PROGRESS_SECONDS = 0.5
"""The time between two reports of progress."""

_BACKOFFS: dict[RegistrationReason, Backoff] = {
    RegistrationReason.NO_WAY: SLOWLY,
    RegistrationReason.REFUSED: SLOWLY,
    RegistrationReason.NOT_HONOURED: SLOWLY,
}
_RETRY_AT_ONCE = {RegistrationReason.TERMS_CHANGED, RegistrationReason.CHALLENGE_EXPIRED, RegistrationReason.MORE_WORK}
"""Failures that are mended by asking the server anew for its demands."""

MOST_CODE = 100
"""Characters of the code of an invitation."""

_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(slots=True)
class _Work:
    """A proof of work in progress: the hashes tried for this challenge, and before it. Times: seconds, monotonic."""

    began: float
    hashes: int = 0
    tried: int = 0
    before: int = 0
    reported: float = -inf


class Registrar:
    """The registrations of all tenants; the ledger makes their tables in `database`, the engine's.

    Attributes:
        on_changed: called with tenant and endpoint when their registration has changed.
        on_agreed: called with the endpoint when the person has agreed to its demands.
    """

    def __init__(self, client: RegistrationClient, database: Database, clock: Clock) -> None:
        self.on_changed: Callable[[str, str], None] = lambda tenant, endpoint: None
        self.on_agreed: Callable[[str], None] = lambda endpoint: None
        self._client = client
        self._store = RegistrationStore(database)
        self._database = database
        self._clock = clock
        self._busy: set[tuple[str, str]] = set()
        self._working: dict[tuple[str, str], _Work] = {}

    def status(self, tenant: str, endpoint: str) -> Registration:
        found = self._store.get(tenant, endpoint) or Registration()
        if (work := self._working.get((tenant, endpoint))) is not None:
            passed = self._clock.monotonic() - work.began
            tried = work.before + work.tried
            rate = tried / passed if passed > 0 else 0.0
            return Registration(RegistrationState.WORKING, hashes=work.hashes, tried=tried, rate=rate)
        return found if found.state is RegistrationState.FAILED else replace(found, next_try=None)

    def works_long(self, tenant: str, endpoint: str) -> bool:
        """Return True while a proof of work takes so long that nobody waits for it who has something else."""
        work = self._working.get((tenant, endpoint))
        return work is not None and self._clock.monotonic() > work.began + LONG_SECONDS

    async def demands(self, endpoint: str) -> Demands:
        """Ask the endpoint for its demands, with the text of its terms; raises as `RegistrationClient` does."""
        return await self._client.demands(same_endpoint(endpoint))

    # -- consent

    async def accept_terms(self, endpoint: str, hash: str) -> None:
        """Accept the endpoint's terms of service with this hash in the person's name, for all tenants.

        Raises:
            InvalidArgument: that is no SHA-256 in hex.
        """
        if not _HASH.fullmatch(hash):
            raise InvalidArgument(f"terms are accepted by their SHA-256, 64 digits of lower-case hex, not {hash!r}")
        endpoint = same_endpoint(endpoint)
        self._store.accept_terms(endpoint, hash, self._clock.now())
        await self._agreed(endpoint)

    async def accept_work(self, endpoint: str, hashes: int) -> None:
        """Let this device compute about so many hashes for the endpoint, in the person's name.

        Raises:
            InvalidArgument: that is no number of hashes.
        """
        if hashes < 1:
            raise InvalidArgument(f"a proof of work takes at least one hash, not {hashes}")
        endpoint = same_endpoint(endpoint)
        self._store.accept_work(endpoint, hashes, self._clock.now())
        await self._agreed(endpoint)

    async def use_invitation(self, endpoint: str, code: str) -> None:
        """Register with the endpoint by the code of an invitation, all tenants that it does not know yet.

        Raises:
            InvalidArgument: that is no code.
        """
        code = code.strip()
        if not 0 < len(code) <= MOST_CODE or not code.isprintable():
            raise InvalidArgument(f"the code of an invitation has 1 to {MOST_CODE} characters in one line")
        endpoint = same_endpoint(endpoint)
        self._store.give_invitation(endpoint, code, self._clock.now())
        await self._agreed(endpoint)

    def retry(self, endpoint: str, tenant: str | None = None) -> None:
        """Let the registration be tried at the next visit, whatever its backoff; for one tenant, or for all."""
        self._store.retry(endpoint, tenant)

    async def _agreed(self, endpoint: str) -> None:
        self.retry(endpoint)
        await self._database.flush()
        self.on_agreed(endpoint)

    # -- visits

    async def register(self, tenant: str, endpoint: str) -> bool:
        """Register a tenant that the endpoint does not know, if that is allowed and due; return True if it is done."""
        key = (tenant, endpoint)
        found, now = self._store.get(tenant, endpoint), self._clock.now()
        if key in self._busy or (found is not None and _is_to_wait(found, now)):
            return False
        self._busy.add(key)
        attempts = found.attempts if found else 0
        try:
            result = await self._try(tenant, endpoint, attempts)
        except (RegistrationError, RemoteError) as error:
            result = self._failed(error, attempts)
        finally:
            self._busy.discard(key)
            self._working.pop(key, None)
        self._put(tenant, endpoint, result)
        await self._database.flush()
        return result.state is RegistrationState.DONE

    def record_served(self, tenant: str, endpoint: str) -> None:
        """Record that the endpoint serves the tenant, which ends an unfinished registration."""
        found = self._store.get(tenant, endpoint)
        if found is None:
            return
        if found.state is not RegistrationState.DONE:
            self._store.drop(tenant, endpoint)
            return
        passed = self._clock.now() - _microseconds(found.registered)
        if found.attempts and not 0 <= passed < RESET_SECONDS * 1_000_000:
            self._store.put(tenant, endpoint, replace(found, attempts=0))

    def record_not_honoured(self, tenant: str, endpoint: str, detail: str) -> None:
        """Record that the endpoint refuses the tenant although it has just registered it."""
        reason = f"{endpoint} took the registration, but still says: {detail}"
        error = RegistrationError(RegistrationReason.NOT_HONOURED, reason)
        found = self._store.get(tenant, endpoint)
        self._put(tenant, endpoint, self._failed(error, found.attempts if found else 0))

    def forget(self, tenant: str) -> None:
        """Forget a tenant that syncs no more; the person's consent is kept."""
        self._store.drop(tenant)

    async def _try(self, tenant: str, endpoint: str, attempts: int) -> Registration:
        """Register, or find out what the person has to be asked; raises RegistrationError, RemoteError."""
        reason = f"{TRIES} challenges of {endpoint} were not solved in time"
        last = RegistrationError(RegistrationReason.CHALLENGE_EXPIRED, reason)
        for _ in range(TRIES):
            demands = await self._client.demands(endpoint)
            terms, challenge = demands.terms, demands.challenge
            asked = terms.hash if terms else None, challenge.hashes if challenge else None
            if (asks := self._asks(endpoint, demands)) is not None:
                return Registration(asks, *asked, attempts=attempts, next_try=self._after(SOON.first))
            code = self._store.invitation(endpoint) if demands.invitation else None
            try:
                if demands.invitation and challenge is not None:
                    await self._check_invited(tenant, endpoint, demands, code)
                nonce = await self._solve(tenant, endpoint, demands)
                if challenge is not None and nonce is None:
                    continue
                await self._client.register(endpoint, tenant, demands, nonce, code)
            except RegistrationError as error:
                if error.reason is RegistrationReason.INVITATION:
                    asks = RegistrationState.INVITATION
                    return self._uninvited(endpoint, code, str(error), Registration(asks, *asked, attempts=attempts))
                if error.reason not in _RETRY_AT_ONCE:
                    raise
                last = error
                continue
            # Should the endpoint forget it, the next one follows at once, and those after it more slowly (invariant 2).
            next_try = self._after(SOON.delay(attempts + 1)) if attempts else None
            now = moment_of(self._clock.now())
            return Registration(
                RegistrationState.DONE, *asked, registered=now, attempts=attempts + 1, next_try=next_try
            )
        raise last

    def _asks(self, endpoint: str, demands: Demands) -> RegistrationState | None:
        """Return the state in which the person has to be asked first, or None (invariant 1)."""
        terms, challenge = demands.terms, demands.challenge
        if terms and not terms.are_empty and not self._store.has_accepted_terms(endpoint, terms.hash):
            return RegistrationState.TERMS
        if challenge and challenge.hashes > max(MOST_HASHES, 2 * self._store.accepted_work(endpoint)):
            return RegistrationState.WORK
        return None

    async def _check_invited(self, tenant: str, endpoint: str, demands: Demands, code: str | None) -> None:
        """Find out whether an endpoint would take the code, or needs none, before any work is done for it."""
        try:
            await self._client.register(endpoint, tenant, demands, None, code)
        except RegistrationError as error:
            if error.reason is RegistrationReason.INVITATION:
                raise

    def _uninvited(self, endpoint: str, code: str | None, reason: str, found: Registration) -> Registration:
        """Forget a code that was refused, and return the registration that asks for another.

        It is tried without one, too: the operator may have admitted the tenant, or an earlier use of the code has.
        """
        if code is not None and self._store.invitation(endpoint) == code:
            self._store.give_invitation(endpoint, None, 0)
        return replace(found, reason=None if code is None else reason, next_try=self._after(SOON.first))

    def _failed(self, error: RegistrationError | RemoteError, attempts: int) -> Registration:
        if isinstance(error, RegistrationError):
            backoff, reason = _BACKOFFS.get(error.reason, SOON), str(error)
        else:
            backoff, reason = SOON, f"{type(error).__name__}: {error}"
        next_try = self._after(backoff.delay(attempts + 1))
        return Registration(RegistrationState.FAILED, reason=reason, attempts=attempts + 1, next_try=next_try)

    def _after(self, seconds: float) -> datetime:
        return moment_of(self._clock.now() + int(seconds * 1_000_000))

    def _put(self, tenant: str, endpoint: str, found: Registration) -> None:
        self._store.put(tenant, endpoint, found)
        self.on_changed(tenant, endpoint)

    async def _solve(self, tenant: str, endpoint: str, demands: Demands) -> str | None:
        if demands.challenge is None:
            return None
        began = self._clock.monotonic()
        work = self._working.setdefault((tenant, endpoint), _Work(began))
        work.hashes = demands.challenge.hashes
        work.before, work.tried = work.before + work.tried, 0

        def tried(hashes: int) -> bool:
            work.tried, now = hashes, self._clock.monotonic()
            if now >= work.reported + PROGRESS_SECONDS:
                work.reported = now
                self.on_changed(tenant, endpoint)
            return now < began + SOLVE_SECONDS

        return await solve(demands.challenge, registration_data(tenant, demands.terms), tried)


def _is_to_wait(found: Registration, now: int) -> bool:
    """Return True if a registration is not due. A time that is further ahead than its wait was set by a wrong clock."""
    longest = int(SLOWLY.delay(found.attempts) * 1_000_000)
    return now < _microseconds(found.next_try) <= now + longest


def _microseconds(moment: datetime | None) -> int:
    return 0 if moment is None else microseconds(moment)
