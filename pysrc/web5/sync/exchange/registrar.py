"""Registers tenants with the endpoints that demand it.

Invariants:
1. Nothing is agreed to in a person's name: terms of service are, and a proof of work beyond `MOST_HASHES` is done, only
   after `accept_terms`, `accept_work`. Other terms, or twice the work, ask anew. Terms of no words need no consent.
2. One registration of a tenant with an endpoint runs at a time, and no oftener than the backoffs say, whatever the
   endpoint answers: it can make this device compute no more than that.
3. What was agreed to, and how each registration stands, outlives the process; what was being computed does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf

from web5.crypto.proof_of_work import solve
from web5.errors import InvalidArgument, RegistrationError, RegistrationReason, RemoteError
from web5.ports.clock import Clock
from web5.remote.registration import Demands, Registry, registration_data
from web5.sync.ledger.registrations import RegistrationStore, Standing
from web5.sync.plan.policy import HOUR, LONGEST, SLOWLY, SOON, Backoff
from web5.sync.states import Registration, RegistrationState

MOST_HASHES = 2**26
"""A proof of work that takes no more on average is done unasked: four times what the reference's servers ask by
default; a minute on CPython, three in a browser."""

SOLVE_SECONDS = 240.0
"""After so long a challenge is replaced by a fresh one, which costs nothing (`proof_of_work`): a server forgets it
after ten minutes at the earliest."""

TRIES = 6
"""Challenges for one registration, until it counts as failed."""

FORGIVEN_SECONDS = HOUR
"""So long after a registration, another one is not taken for the endpoint's habit of forgetting them."""

TELL_SECONDS = 0.5
"""Between two words on how far the work is."""

_BACKOFFS: dict[RegistrationReason, Backoff] = {
    RegistrationReason.NO_WAY: SLOWLY,
    RegistrationReason.REFUSED: SLOWLY,
    RegistrationReason.NOT_HONOURED: SLOWLY,
}
_AT_ONCE = {RegistrationReason.TERMS_CHANGED, RegistrationReason.CHALLENGE_EXPIRED, RegistrationReason.MORE_WORK}
"""What is mended by asking the server anew what it demands."""

_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(slots=True)
class _Work:
    """What is being computed. Times are in seconds, monotonic.

    Parameters:
        hashes: how many the challenge takes on average.
        tried, before: how many were computed for this challenge, and for those before it.
        told: when `changed` was called last.
    """

    began: float
    hashes: int = 0
    tried: int = 0
    before: int = 0
    told: float = -inf


class Registrar:
    """Registrations of all tenants.

    Parameters:
        registry: how servers are talked to.

    Attributes:
        changed: called with tenant and endpoint when their registration stands otherwise.
        agreed: called with the endpoint when the person has agreed to what it asks.
    """

    def __init__(self, registry: Registry, store: RegistrationStore, clock: Clock) -> None:
        self.changed: list[Callable[[str, str], None]] = []
        self.agreed: list[Callable[[str], None]] = []
        self._registry = registry
        self._store = store
        self._clock = clock
        self._busy: set[tuple[str, str]] = set()
        self._working: dict[tuple[str, str], _Work] = {}

    def open(self) -> None:
        """Bring the tables up to date."""
        self._store.open()

    # -- how it stands

    def status(self, tenant: str, endpoint: str) -> Registration:
        """How it stands."""
        standing = self._store.standing(tenant, endpoint)
        if (work := self._working.get((tenant, endpoint))) is not None:
            passed = self._clock.monotonic() - work.began
            tried = work.before + work.tried
            rate = tried / passed if passed > 0 else 0.0
            return Registration(RegistrationState.WORKING, hashes=work.hashes, tried=tried, rate=rate)
        if standing is None:
            return Registration()
        return Registration(
            standing.state,
            terms_hash=standing.terms_hash,
            hashes=standing.hashes,
            reason=standing.reason,
            registered=standing.registered,
            next_try=standing.next_try if standing.state is RegistrationState.FAILED else None,
        )

    async def demands(self, endpoint: str) -> Demands:
        """What the endpoint asks for now, with the text of its terms; raises as `RegistrationClient` does."""
        return await self._registry.demands(endpoint)

    # -- what the person says

    async def accept_terms(self, endpoint: str, hash: str) -> None:
        """The person agrees to the endpoint's terms of service with this hash, for all tenants.

        Raises:
            InvalidArgument: that is no SHA-256 in hex.
        """
        if not _HASH.fullmatch(hash):
            raise InvalidArgument(f"terms are accepted by their SHA-256, 64 digits of lower-case hex, not {hash!r}")
        self._store.accept_terms(endpoint, hash, self._clock.now())
        await self._agreed(endpoint)

    async def accept_work(self, endpoint: str, hashes: int) -> None:
        """The person lets this device compute about so many hashes for the endpoint.

        Raises:
            InvalidArgument: that is no number of hashes.
        """
        if hashes < 1:
            raise InvalidArgument(f"a proof of work takes at least one hash, not {hashes}")
        self._store.accept_work(endpoint, hashes, self._clock.now())
        await self._agreed(endpoint)

    def retry(self, endpoint: str, tenant: str | None = None) -> None:
        """Let it be tried at the next visit, whatever its backoff; for one tenant, or for all."""
        for one, standing in self._store.at(endpoint):
            if tenant in (None, one) and standing.next_try is not None:
                self._store.put(one, endpoint, replace(standing, next_try=None))

    async def _agreed(self, endpoint: str) -> None:
        self.retry(endpoint)
        await self._store.database.flush()
        for callback in self.agreed:
            callback(endpoint)

    # -- what endpoints say

    async def register(self, tenant: str, endpoint: str) -> bool:
        """Register a tenant that the endpoint does not know, if it may be done; True if it is registered now."""
        key = (tenant, endpoint)
        if key in self._busy or not self._is_due(tenant, endpoint):
            return False
        self._busy.add(key)
        try:
            standing = await self._try(tenant, endpoint)
        except (RegistrationError, RemoteError) as error:
            standing = self._failed(tenant, endpoint, error)
        finally:
            self._busy.discard(key)
            self._working.pop(key, None)
        self._put(tenant, endpoint, standing)
        await self._store.database.flush()
        return standing.state is RegistrationState.DONE

    def welcomed(self, tenant: str, endpoint: str) -> None:
        """The endpoint serves the tenant: what is still open about a registration is so no more."""
        standing = self._store.standing(tenant, endpoint)
        if standing is None:
            return
        if standing.state is not RegistrationState.DONE:
            self._store.drop(tenant, endpoint)
        elif standing.attempts and self._clock.now() >= (standing.registered or 0) + FORGIVEN_SECONDS * 1_000_000:
            self._store.put(tenant, endpoint, replace(standing, attempts=0))

    def not_honoured(self, tenant: str, endpoint: str, words: str) -> None:
        """The endpoint refuses the tenant although it has just registered it."""
        error = RegistrationError(
            RegistrationReason.NOT_HONOURED, f"{endpoint} took the registration, but still says: {words}"
        )
        self._put(tenant, endpoint, self._failed(tenant, endpoint, error))

    def forget(self, tenant: str) -> None:
        """The tenant syncs no more. What the person agreed to is kept."""
        self._store.drop(tenant)

    def _is_due(self, tenant: str, endpoint: str) -> bool:
        standing, now = self._store.standing(tenant, endpoint), self._clock.now()
        if standing is None or standing.next_try is None:
            return True
        return not now < standing.next_try <= now + int(LONGEST * 1_000_000)

    async def _try(self, tenant: str, endpoint: str) -> Standing:
        """Raises RegistrationError, RemoteError: it did not come to an end."""
        last = RegistrationError(
            RegistrationReason.CHALLENGE_EXPIRED, f"{TRIES} challenges of {endpoint} were not solved in time"
        )
        for _ in range(TRIES):
            demands = await self._registry.demands(endpoint)
            if (asks := self._asks(endpoint, demands)) is not None:
                return self._asking(tenant, endpoint, asks, demands)
            nonce = await self._solve(tenant, endpoint, demands)
            if demands.challenge is not None and nonce is None:
                continue
            try:
                await self._registry.register(endpoint, tenant, demands, nonce)
            except RegistrationError as error:
                if error.reason not in _AT_ONCE:
                    raise
                last = error
                continue
            return self._done(tenant, endpoint, demands)
        raise last

    def _asks(self, endpoint: str, demands: Demands) -> RegistrationState | None:
        """What the person has to be asked first (invariant 1)."""
        terms, challenge = demands.terms, demands.challenge
        if terms and not terms.are_empty and self._store.accepted_terms(endpoint, terms.hash) is None:
            return RegistrationState.TERMS
        if challenge and challenge.hashes > max(MOST_HASHES, 2 * self._store.accepted_work(endpoint)):
            return RegistrationState.WORK
        return None

    def _asking(self, tenant: str, endpoint: str, asks: RegistrationState, demands: Demands) -> Standing:
        next_try = self._after(SOON.first)
        return Standing(asks, *_asked(demands), attempts=self._attempts(tenant, endpoint), next_try=next_try)

    def _done(self, tenant: str, endpoint: str, demands: Demands) -> Standing:
        """Should the endpoint forget it, the next one follows at once, and those after it more slowly (invariant 2)."""
        attempts = self._attempts(tenant, endpoint) + 1
        return Standing(
            RegistrationState.DONE,
            *_asked(demands),
            registered=self._clock.now(),
            attempts=attempts,
            next_try=self._after(SOON.delay(attempts)) if attempts > 1 else None,
        )

    def _failed(self, tenant: str, endpoint: str, error: RegistrationError | RemoteError) -> Standing:
        attempts = self._attempts(tenant, endpoint) + 1
        if isinstance(error, RegistrationError):
            backoff, reason = _BACKOFFS.get(error.reason, SOON), str(error)
        else:
            backoff, reason = SOON, f"{type(error).__name__}: {error}"
        next_try = self._after(backoff.delay(attempts))
        return Standing(RegistrationState.FAILED, reason=reason, attempts=attempts, next_try=next_try)

    def _attempts(self, tenant: str, endpoint: str) -> int:
        standing = self._store.standing(tenant, endpoint)
        return standing.attempts if standing else 0

    def _after(self, seconds: float) -> int:
        return self._clock.now() + int(seconds * 1_000_000)

    def _put(self, tenant: str, endpoint: str, standing: Standing) -> None:
        self._store.put(tenant, endpoint, standing)
        self._changed(tenant, endpoint)

    def _changed(self, tenant: str, endpoint: str) -> None:
        for callback in self.changed:
            callback(tenant, endpoint)

    async def _solve(self, tenant: str, endpoint: str, demands: Demands) -> str | None:
        if demands.challenge is None:
            return None
        began = self._clock.monotonic()
        work = self._working.setdefault((tenant, endpoint), _Work(began))
        work.hashes = demands.challenge.hashes
        work.before, work.tried = work.before + work.tried, 0

        def tried(hashes: int) -> bool:
            work.tried, now = hashes, self._clock.monotonic()
            if now >= work.told + TELL_SECONDS:
                work.told = now
                self._changed(tenant, endpoint)
            return now < began + SOLVE_SECONDS

        return await solve(demands.challenge, registration_data(tenant, demands.terms), tried)


def _asked(demands: Demands) -> tuple[str | None, int | None]:
    """Hash of the terms and hashes of the work."""
    terms, challenge = demands.terms, demands.challenge
    return terms.hash if terms else None, challenge.hashes if challenge else None
