"""The requests between devices and endpoints, and whether they were more than the policy allows.

Bounds, from `web5.sync.plan.policy` and the ledger's invariants:
1. A message is sent to an endpoint once at a time.
2. It is never sent there again after the endpoint took it, or listed it.
3. After a refusal it is not sent before its backoff is over.
4. What a device holds it asks for once in a run, to see that the endpoint still has it, unless it cannot be read here;
   once more, if that is replaced there; and once after each failure of the endpoint.
How many there may be at a time, and when none, is in `manners`.
What excuses a repetition: a crash of the device, a disk that was full, an endpoint that lost its data or left the
document in between, a listing of everything, which overrules what was believed (ledger invariant 7). For 2, that it was
answered with 409, and the endpoint could not be asked whether that is so. For 2, as far as it was only listed, and for
3: that the app asked for it (`send`). For 3: that it was refused because it came without its data, which a message does
that may find them there; it is sent again with them; and, once, that the clock was put back: the next visit notices,
and forgets what was counted by either time.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from tests.simulation.manners import Manners
from web5.sync.exchange.history import OUTLIVED
from web5.sync.exchange.peer import WANTS_DATA
from web5.sync.exchange.visit import SUSPECT_SECONDS
from web5.sync.plan.policy import Outcome, node_failed
from web5.sync.states import State

if TYPE_CHECKING:
    from tests.simulation.device import Device
    from tests.simulation.network import Endpoint

LISTED = "though it had been listed"
TAKEN = "though it was taken ({})"
CONFLICT = TAKEN.format(409)
SLACK = 0.99
"""Of a backoff that must have passed: clocks differ by a little between the reply and its record."""


@dataclass(slots=True)
class _History:
    """One message between one device and one endpoint."""

    excuse: tuple[object, ...] = ()
    under_way: int = 0
    taken: str = ""
    refusals: int = 0
    next_try: float = -inf
    put_back: int = 0


@dataclass(slots=True)
class Send:
    """A message on its way."""

    history: _History
    device: Device
    endpoint: Endpoint
    excuse: tuple[object, ...] = ()
    is_probe: bool = False


@dataclass(slots=True)
class Traffic:
    """All requests of a simulation.

    Attributes:
        requests: by device, endpoint and kind of message.
        audits: listings of everything, by device and endpoint.
        violations: what was more than is allowed.
    """

    requests: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    manners: Manners = field(init=False)
    audits: Counter[tuple[str, str]] = field(default_factory=Counter)
    _probes: Counter[tuple[str, int, str, str]] = field(default_factory=Counter)
    _failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    _sent_again: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    _histories: dict[tuple[str, str, str], _History] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.manners = Manners(self.violations)

    def begin(self, device: Device, endpoint: Endpoint, cid: str, name: str) -> Send:
        """Record that a device sends a message that is to be stored."""
        history, excuse = self._history(device, endpoint, cid)
        where, is_probe = f"{device.name} sends {name} to {endpoint.name}", self._is_probe(device, endpoint, cid)
        if history.under_way:
            self.violations.append(f"{where} while the same is under way")
        elif _is_superseded(device, cid):
            pass  # no endpoint lists it any more, so it is offered until one has said what it makes of it
        elif is_probe:
            pass
        elif (history.taken == LISTED or endpoint.lied) and _is_delete(device, cid):
            pass  # once more, to an endpoint that listed another message of the record (`Ledger.superseded`)
        elif history.taken and not (history.taken == LISTED and device.asked_to_send(cid)):
            self.violations.append(f"{where} again, {history.taken}")
        elif _now(device) < history.next_try and not device.asked_to_send(cid):
            if history.put_back == device.clock.put_back:
                self.violations.append(f"{where} again {history.next_try - _now(device):.1f} s before its time")
            history.put_back = device.clock.put_back
        history.under_way += 1
        return Send(history, device, endpoint, excuse, is_probe)

    def end(self, send: Send, outcome: Outcome | None) -> None:
        """Record the outcome as the device saw it; None: it was given up."""
        history = send.history
        history.under_way -= 1
        if send.is_probe and outcome is not None and outcome.code in (202, 204):
            self.audits[send.device.name, send.endpoint.name] += 1  # it has lost what it took: all is sent again
        if outcome is None or node_failed(outcome):
            self._failures[send.device.name, send.endpoint.name] += 1
        if send.excuse != history.excuse or outcome is None or send.device.disk.troubled:
            return
        if outcome.code == 409 and send.endpoint.damaged:
            return  # a newer one, perhaps, which it cannot show
        if outcome.settled and (outcome.code != OUTLIVED.code or send.device.may_hand_on):
            history.taken = TAKEN.format(outcome.code)
        elif outcome.state in (State.REFUSED, State.BLOCKED) and not outcome.detail.startswith(WANTS_DATA):
            history.refusals += 1
            delay = outcome.backoff.delay(history.refusals)
            history.next_try = _now(send.device) + delay * SLACK

    def handed_on(self, device: Device, endpoint: Endpoint, cid: str) -> None:
        """Record that a device hands on a message as one from the past: the answer to the message was none to that."""
        self._history(device, endpoint, cid)[0].taken = ""

    def unconfirmed(self, device: Device, endpoint: Endpoint, cids: Iterable[str]) -> None:
        """Record that a device could not learn whether these are there, or newer ones, as a 409 says."""
        for cid in cids:
            history = self._history(device, endpoint, cid)[0]
            if history.taken == CONFLICT:
                history.taken = ""

    def read(self, device: Device, endpoint: Endpoint, tenant: str, cid: str) -> None:
        """Record that a device asks for a message."""
        # A delegate asks after each 409 (`displaced`); what cannot be read is fetched again.
        may_ask = not device.may_hand_on or cid in device.damaged(tenant)
        if device.dwn.store.has(tenant, cid) and not may_ask:
            probe = (device.name, device.runs, endpoint.url, tenant)
            self._probes[probe] += 1
            way = device.name, endpoint.name
            if self._probes[probe] > 2 + self.audits[way] + self._failures[way]:
                self.violations.append(f"{device.name} asks {endpoint.name} for what it holds: {cid}")

    def unanswered(self, device: Device, endpoint: Endpoint) -> None:
        """Record that an endpoint is asked once more: the connection broke, or it refused the question for its date."""
        self._failures[device.name, endpoint.name] += 1

    def listed(self, device: Device, endpoint: Endpoint, cids: list[str]) -> None:
        """Record that an endpoint listed these to a device."""
        for cid in () if device.disk.troubled or endpoint.lied else cids:
            self._history(device, endpoint, cid)[0].taken = LISTED

    def gone(self, device: Device, endpoint: Endpoint, cid: str) -> None:
        """Record that an endpoint has a message no more, though it had listed it to the device."""
        history = self._history(device, endpoint, cid)[0]
        if history.taken == LISTED:
            history.taken = ""

    def _is_probe(self, device: Device, endpoint: Endpoint, cid: str) -> bool:
        """Return True for what a delegate sends because it may not ask for it, twice in ten minutes at the most."""
        if not device.believes_sent(endpoint, cid):
            return False
        now = asyncio.get_running_loop().time()
        sent = self._sent_again.setdefault((device.name, endpoint.name), [])
        sent[:] = [moment for moment in sent if now < moment + SUSPECT_SECONDS * SLACK]
        sent.append(now)
        return len(sent) <= 2

    def _history(self, device: Device, endpoint: Endpoint, cid: str) -> tuple[_History, tuple[object, ...]]:
        key = (device.name, endpoint.url, cid)
        runs, audits = (device.runs, device.clock.put_back), self.audits[device.name, endpoint.name]
        excuse = (*runs, device.disk.fulls, endpoint.epoch, audits)
        history = self._histories.get(key)
        if history is None or history.excuse != excuse:
            history = self._histories[key] = _History(excuse)
        return history, excuse


def _now(device: Device) -> float:
    """By the device's clock, which is what its backoffs go by."""
    return asyncio.get_running_loop().time() + device.clock.skew


def _is_delete(device: Device, cid: str) -> bool:
    query = "SELECT 1 FROM dwn_message WHERE cid = ? AND method = 'Delete'"
    return device.dwn.database.connection.execute(query, (cid,)).fetchone() is not None


def _is_superseded(device: Device, cid: str) -> bool:
    query = "SELECT 1 FROM dwn_message WHERE cid = ? AND method = 'Superseded'"
    return device.dwn.database.connection.execute(query, (cid,)).fetchone() is not None
