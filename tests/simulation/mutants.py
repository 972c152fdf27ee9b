"""Deliberate faults, each put in place of a piece of the real code, that the simulator must find.

They show that the invariants bite: `test_mutants` asks that each is caught by one of a few seeds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import apsw

from tests.simulation import mutants_of_storage as storage
from web5.dwn.codes import Code
from web5.dwn.permissions import rules as permissions
from web5.dwn.store import database
from web5.dwn.store.database import Database
from web5.dwn.store.durable.flusher import Flusher
from web5.dwn.store.store import Store
from web5.errors import StorageError
from web5.patience import Patience
from web5.remote.clocks import NodeClock
from web5.remote.pauses import Pauses
from web5.sync.exchange import push, registrar
from web5.sync.exchange.taking.applying import Applying
from web5.sync.exchange.taking.arrivals import Arrivals
from web5.sync.exchange.visit import EndpointSync
from web5.sync.ledger.entries import Entries, Inbox
from web5.sync.ledger.ledger import Ledger
from web5.sync.ledger.outbox import Outbox
from web5.sync.plan import policy
from web5.sync.states import RegistrationState, State


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault.

    Parameters:
        says: what is wrong with it.
        owner, name: what is replaced; `make` gets the original, and gives what takes its place.
    """

    says: str
    owner: Any
    name: str
    make: Callable[[Any], Any]

    def applied(self) -> AbstractContextManager[None]:
        """Put the fault into the code inside the block."""
        return _replaced(self.owner, self.name, self.make(getattr(self.owner, self.name)))


@contextmanager
def _replaced(owner: Any, name: str, fault: Any) -> Iterator[None]:
    original = owner.__dict__[name]
    setattr(owner, name, fault)
    try:
        yield
    finally:
        setattr(owner, name, original)


@contextmanager
def unchanged() -> Iterator[None]:
    """Leave the code as it is."""
    yield


def _cursor_before_rows(listed: Any) -> Any:
    def fault(self: Ledger, endpoint: Any, log: str, listing: Any, missing: set[str], now: int) -> None:
        listed(self, endpoint, log, listing, set(), now)
        # The rows follow, a moment and so a transaction later.
        asyncio.get_running_loop().call_later(0.05, _add_rows, self, endpoint.id, listing.cids, missing, now)

    return fault


def _add_rows(ledger: Ledger, endpoint: int, cids: list[str], missing: set[str], now: int) -> None:
    # The device may be off by now, or its disk full.
    with suppress(apsw.Error, StorageError), ledger.database.transaction():
        ledger.inbox.add(endpoint, [cid for cid in cids if cid in missing], now)


def _everything_is_success(rules: Any) -> Any:
    return tuple(_settling(rule) for rule in rules)


def _nothing_waits(rules: Any) -> Any:
    return tuple(_settling(rule) if rule.outcome.state is State.WAITING else rule for rule in rules)


def _settling(rule: policy.Rule) -> policy.Rule:
    return replace(rule, outcome=replace(rule.outcome, state=None))


def _not_given_is_gone(failed: Any) -> Any:
    def fault(self: Inbox, endpoint: int, cid: str, outcome: Any, now: int) -> None:
        if outcome.waits_for:
            failed(self, endpoint, cid, outcome, now)
        else:
            self.gone(endpoint, cid)

    return fault


def _echo(applied: Any) -> Any:
    def fault(self: Ledger, message: Any) -> None:
        for endpoint in self._endpoint_ids.get(message.tenant, {}).values():
            self.inbox.settle(endpoint, message.message_cid)

    return fault


def _no_flush(flush: Any) -> Any:
    async def fault(self: Database) -> None:
        await asyncio.sleep(0)

    return fault


def _rows_are_kept(drop: Any) -> Any:
    def fault(self: Ledger, tenant: str, urls: Any) -> None:
        for url in urls:
            endpoint = self._endpoint_ids[tenant][url]
            self.database.connection.execute("DELETE FROM sync_endpoint WHERE id = ?", (endpoint,))

    return fault


def _sent_before_reply(record: Any) -> Any:
    """Whatever was sent counts as taken, whatever the reply was."""

    def fault(self: Outbox, endpoint: int, outcomes: Any, now: int) -> None:
        taken = replace(policy.waiting_for("nothing"), state=None)
        record(self, endpoint, [(item, taken) for item, _ in outcomes], now)

    return fault


def _no_backoff(next_try: Any) -> Any:
    return lambda self, attempts, now: None


def _blind_store(store: Any) -> Any:
    """Take pulled messages for superseded if the engine refuses them."""

    async def fault(self: Applying, checked: Any) -> Any:
        outcomes = await store(self, checked)
        for batch, of_batch in zip(checked.batches, outcomes, strict=True):
            for candidate, outcome in zip(batch, of_batch, strict=True):
                if not outcome.settled:
                    self._ledger.superseded(checked.tenant, candidate.cid)
        return outcomes

    return fault


def _stubborn(learn: Any) -> Any:
    return lambda self, detail: False


def _waits_for_ever(is_to_wait: Any) -> Any:
    return lambda found, now: found.state is RegistrationState.TERMS or is_to_wait(found, now)


def _any_version(check: Any) -> Any:
    return lambda component, version, known: None


def _closed_later(close: Any) -> Any:
    async def fault(self: Database) -> None:
        task = asyncio.ensure_future(close(self))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.sleep(0)

    return fault


def _forgets_revocations(base: Any) -> Any:
    return tuple(rule for rule in base if rule.code != Code.GrantAuthorizationGrantRevoked)


def _revoked_is_settled(rules: Any) -> Any:
    return (policy.Rule("401", policy.Outcome("revoked", None), rf"^{Code.GrantAuthorizationGrantRevoked}\b"), *rules)


def _nobody_is_woken(release: Any) -> Any:
    return lambda self, endpoint, keys: None


def _no_doubts(may_have_lost: Any) -> Any:
    return lambda self: False


def _no_pause(check: Any) -> Any:
    return lambda self, endpoint: None


def _endless_patience(is_over: Any) -> Any:
    return lambda self, busy, *, napped: False


MUTANTS: dict[str, Mutant] = {
    "cursor first": Mutant("a cursor is saved before its rows", Ledger, "listed", _cursor_before_rows),
    "all success": Mutant("any reply counts as a success", policy, "RULES", _everything_is_success),
    "no waiting": Mutant("what depends on something is not kept", policy, "RULES", _nothing_waits),
    "not given is gone": Mutant("no reply drops a message's row as a 404 does", Inbox, "failed", _not_given_is_gone),
    "echo": Mutant("what was pulled is not settled for its source", Ledger, "applied", _echo),
    "no flush": Mutant("writes are acknowledged before they are durable", Database, "flush", _no_flush),
    "rows stay": Mutant("an endpoint that leaves leaves its rows", Ledger, "_drop", _rows_are_kept),
    "sent is taken": Mutant("whatever was sent counts as taken", Outbox, "record", _sent_before_reply),
    "no backoff": Mutant("what was refused is tried at every visit", policy.Outcome, "next_try", _no_backoff),
    "stubborn": Mutant("questions are dated by this device's clock alone", NodeClock, "learn", _stubborn),
    "never woken": Mutant(
        "what waits is not tried when what it waits for has come", Entries, "release", _nobody_is_woken
    ),
    "no doubts": Mutant(
        "a listing is always complete, and of the same log", EndpointSync, "_may_have_lost", _no_doubts
    ),
    "no pause": Mutant("a Retry-After is not kept, by listings neither", Pauses, "check", _no_pause),
    "endless patience": Mutant("who is slow is waited for", Patience, "is_over", _endless_patience),
    "missing is settled": Mutant(
        "what cannot be read here counts as sent", push, "damaged_here", storage.missing_is_settled
    ),
    "failed read is gone": Mutant("a read that fails drops its row", Arrivals, "record", storage.failed_read_is_gone),
    "blobs stay": Mutant("deletes leave large data", Store, "drop_blobs", storage.blobs_stay),
    "not looked after": Mutant("what closed is not opened again", Flusher, "probe", storage.is_not_looked_after),
    "no write-back": Mutant("what was cleared is not stored again", Flusher, "_lose", storage.loss_is_a_failure),
    "reserve is kept": Mutant("what makes room gets none", Flusher, "begin", storage.reserve_is_kept),
    "refused is superseded": Mutant("what the engine refuses is dropped", Applying, "store", _blind_store),
    "terms for ever": Mutant("a registration is not tried after consent", registrar, "_is_to_wait", _waits_for_ever),
    "older writes": Mutant("an older version opens the store of a newer", database, "check_component", _any_version),
    "lock before store": Mutant("a store says that it is closed before it is", Database, "close", _closed_later),
    "revoked is allowed": Mutant("nodes do not look at revocations", permissions, "BASE", _forgets_revocations),
    "revoked is settled": Mutant("a revoked write is dropped in silence", policy, "RULES", _revoked_is_settled),
}
