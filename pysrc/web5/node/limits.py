"""Bounds on what one client, one address and all of them together may ask, hold and leave unread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Network, ip_address

from web5.budget import Budget
from web5.dwn.wire.rpc_body import MAX_ENVELOPE_BYTES
from web5.lru import LruCache

KIB = 1024
MIB = KIB * KIB

LEAST_REPLY = 64 * KIB
"""Bytes of entries that a reply may have even if the clients of an address have left too many replies unread."""


KNOWN_GUESSERS = 10_000
"""Addresses that have guessed wrong and are remembered: those that did last."""


@dataclass(frozen=True)
class Limits:
    """Bounds on the requests of clients, and on the replies to them.

    Parameters:
        message: bytes of JSON in the `dwn-request` header, or in one text of a WebSocket. Node, so the reference,
            takes 16 KiB in a header.
        envelope: bytes of JSON in a request's body, where the data follow it (`rpc_body`).
        envelopes: bytes of large ones that come from one address at a time.
        envelopes_altogether: the same for all addresses.
        data: bytes of a record's data; the default is the reference's `MAX_RECORD_DATA_SIZE`.
        reply: bytes of entries in the reply to a query; what more there is follows by its cursor.
        unread: bytes of replies that are on their way to the clients of one address; then replies are of `LEAST_REPLY`.
        unread_altogether: the same for all addresses.
        subscriptions: the most that a WebSocket may have at a time.
        subscriptions_of_address: the most that all WebSockets of an address may have.
        subscriptions_of_strangers: the most that one tenant's DWN may have by others than the tenant.
        events: the most that may wait until a WebSocket has taken those before them.
        event_bytes: their bytes.
    """

    message: int = 256 * KIB
    envelope: int = MAX_ENVELOPE_BYTES
    envelopes: int = 8 * MIB
    envelopes_altogether: int = 64 * MIB
    data: int = KIB**3
    reply: int = 8 * MIB
    unread: int = 16 * MIB
    unread_altogether: int = 64 * MIB
    subscriptions: int = 256
    subscriptions_of_address: int = 512
    subscriptions_of_strangers: int = 1024
    events: int = 1000
    event_bytes: int = 2 * MIB


class Shares:
    """The shares of clients in something: one may take `each`, and `altogether` all of them."""

    def __init__(self, each: int, altogether: int | None = None) -> None:
        self._each = each
        self._altogether = altogether
        self._taken: Counter[str] = Counter()
        self._sum = 0

    def left(self, owner: str) -> int:
        """Return what one may still take; negative if he has taken more."""
        left = self._each - self._taken[owner]
        return left if self._altogether is None else min(left, self._altogether - self._sum)

    @property
    def taken(self) -> int:
        return self._sum

    def take(self, owner: str, amount: int = 1) -> Callable[[], None]:
        """Take an amount, whatever is left; return a function that gives it back, once however often it is called."""
        self._taken[owner] += amount
        self._sum += amount
        taken = amount

        def give_back() -> None:
            nonlocal taken
            self._taken[owner] -= taken
            self._sum -= taken
            taken = 0
            if not self._taken[owner]:
                del self._taken[owner]

        return give_back


class Guesses:
    """The pace of those who guess a secret: after some wrong ones, an address has to wait before the next is looked at.

    Parameters:
        monotonic: a clock in seconds.
        burst: wrong guesses that may come at once.
        per_minute: those that may come from then on.
    """

    def __init__(self, monotonic: Callable[[], float], burst: int = 10, per_minute: int = 6) -> None:
        self._monotonic = monotonic
        self._burst, self._per_minute = burst, per_minute
        self._budgets: LruCache[str, Budget] = LruCache(KNOWN_GUESSERS)

    def wait(self, address: str) -> int:
        """Return the whole seconds after which an address may guess again; 0: now."""
        if (budget := self._budgets.get(address)) is None or (left := budget.left(self._monotonic())) >= 1:
            return 0
        return int((1 - left) * 60 / self._per_minute) + 1

    def wrong(self, address: str) -> None:
        """Take note of a wrong guess."""
        if (budget := self._budgets.get(address)) is None:
            budget = Budget(self._burst, self._per_minute)
            self._budgets.put(address, budget)
        budget.spend(1, self._monotonic())


class Usage:
    """The use that clients make of a server, within its limits.

    Attributes:
        envelopes: bytes of large messages that are being read, by address.
        replies: bytes, by address.
        subscriptions: their number, by address.
        strangers: the number of subscriptions by others than the tenant, by tenant.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.envelopes = Shares(limits.envelopes, limits.envelopes_altogether)
        self.replies = Shares(limits.unread, limits.unread_altogether)
        self.subscriptions = Shares(limits.subscriptions_of_address)
        self.strangers = Shares(limits.subscriptions_of_strangers)

    def room(self, address: str) -> int:
        """Return the bytes of entries that the next reply to an address may have."""
        return max(LEAST_REPLY, min(self.limits.reply, self.replies.left(address)))


def address_of(client: tuple[str, int] | None) -> str:
    """Return what counts as one client: an IPv4 address, or the network of an IPv6 address, which one host can use."""
    host = client[0] if client else ""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host[:64]
    if isinstance(address, IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or IPv6Network((address, 64), strict=False))
