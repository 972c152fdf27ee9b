"""What to ask one endpoint for, in which order to apply what it gives, and what to believe: pure.

Invariants:
1. Nothing is applied whose CID, computed here, is not the one that was asked for.
2. A RecordsWrite that came without its data is applied only right before a later message of the same record. (An
   engine keeps one message of one CID: a write taken without its data could never get the data later.)
3. A message that came before what it depends on is kept, within `HELD_BYTES`, and applied right after that.
4. Pages are asked for only while they bring what is missing; everything else is read alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from web5.crypto.encoding import b64url_decode
from web5.dwn.cid import message_cid
from web5.dwn.data import MAX_INLINE_BYTES, DataStream
from web5.dwn.rpc import method_of
from web5.dwn.timestamps import format_timestamp
from web5.errors import CryptoError, InvalidArgument
from web5.sync.plan.dependencies import record_key
from web5.sync.plan.ordering import ALONE, lane_of
from web5.sync.plan.policy import SOON, Verdict, waiting_for
from web5.sync.states import Message, State

PAGE_LIMIT = 100
"""Records in one RecordsQuery page: at most 4 MB, with 30,000 bytes of data inline in each."""

PAGES_ABOVE = 10
"""So many missing messages, and RecordsQuery pages are cheaper than one MessagesRead for each."""

WORTH = 0.1
"""A page with a smaller share of missing messages than this is the last."""

KEPT_BYTES = 30_000
"""Data up to this size is kept in memory with a message that came too early."""

HELD_BYTES = 32 * 1024 * 1024
"""Of all messages together that came too early to one visit; what is beyond is fetched again when its time has come."""

_MESSAGE_BYTES = 2_000
"""About what a message takes, beside its data."""

OVERLAP = 10 * 60 * 1_000_000
"""Microseconds that a page query reaches back before the last listing, for clocks that differ."""

EPOCH = 0
"""Microseconds; a RecordsQuery filter may not be empty, and every record was created since then."""


@dataclass(slots=True)
class Candidate:
    """A message from an endpoint, whose CID was computed here."""

    cid: str
    message: Message
    data: bytes | DataStream | None = None

    @property
    def lane(self) -> str:
        return lane_of(self.message)

    @property
    def lacks_data(self) -> bool:
        """True for a RecordsWrite that came without its data: one that a later write or delete has superseded."""
        return self.data is None and method_of(self.message) == "Records.Write"

    @property
    def inline(self) -> bytes | None:
        """The data, if it is in memory."""
        return self.data if isinstance(self.data, bytes) else None

    @property
    def is_small_write(self) -> bool:
        """True for a RecordsWrite without data, or with data that is stored with it."""
        is_small = self.data is None or (isinstance(self.data, bytes) and len(self.data) <= MAX_INLINE_BYTES)
        return is_small and method_of(self.message) == "Records.Write"

    @property
    def timestamp(self) -> str:
        return str(self.message["descriptor"].get("messageTimestamp"))


Chain = list[Candidate]
"""Messages of one record, to be applied in this order."""


@dataclass(slots=True)
class PageWalk:
    """The RecordsQuery pages of one fetch: newest records first, since those are what the person looks at first.

    Records that depend on older ones (children) are held until those have come. On a first sync the pages cover
    everything; later they cover what was updated since then, which finds a burst of changes from another device, and
    they stop at once where they find nothing.

    Parameters:
        missing: the CIDs that are wanted.
        caught_up: the endpoint's, in microseconds; None: nothing was ever fetched to the end.
        within: a filter that the records have to pass too.
        most: pages at the most.
    """

    missing: set[str]
    caught_up: int | None
    within: Mapping[str, Any] = field(default_factory=dict)
    most: int | None = None
    more: bool = True
    _cursor: Any = None

    def query(self) -> dict[str, Any]:
        """Filter, sort and pagination of the next page."""
        since = EPOCH if self.caught_up is None else max(EPOCH, self.caught_up - OVERLAP)
        moment = "dateCreated" if self.caught_up is None else "dateUpdated"
        pagination: dict[str, Any] = {"limit": PAGE_LIMIT}
        if self._cursor is not None:
            pagination["cursor"] = self._cursor
        return {
            "filter": {**self.within, moment: {"from": format_timestamp(since)}},
            "date_sort": "createdDescending",
            "pagination": pagination,
        }

    def feed(self, reply: Message) -> list[Chain]:
        """Take a page; returns what it holds, whether it was listed or not, but for what a MessagesRead must bring."""
        entries = reply.get("entries")
        self._cursor = reply.get("cursor")
        if not isinstance(entries, list) or not entries:
            self.more = False
            return []
        chains = [chain for entry in entries if (chain := chain_of(entry))]
        wanted = sum(candidate.cid in self.missing for chain in chains for candidate in chain)
        if self.most is not None:
            self.most -= 1
        self.more = isinstance(self._cursor, dict) and wanted >= WORTH * len(entries) and self.most != 0
        return chains


def chain_of(entry: Any) -> Chain:
    """A RecordsQuery entry as messages to apply; empty if it is no such entry, or comes without its data."""
    if not isinstance(entry, dict):
        return []
    newest = {name: value for name, value in entry.items() if name not in ("encodedData", "initialWrite")}
    data = _inline_data(entry)
    initial = entry.get("initialWrite")
    if data is None or method_of(newest) != "Records.Write" or not isinstance(initial, (dict, type(None))):
        return []
    try:
        chain = [Candidate(message_cid(newest), newest, data)]
        if initial is not None:
            bare = {name: value for name, value in initial.items() if name != "encodedData"}
            chain.insert(0, Candidate(message_cid(bare), bare))
    except InvalidArgument:
        return []
    return chain if chain[0].lane == chain[-1].lane != ALONE else []


def _inline_data(entry: Mapping[str, Any]) -> bytes | None:
    encoded = entry.get("encodedData")
    if not isinstance(encoded, str):
        return b"" if _is_empty(entry) else None
    try:
        return b64url_decode(encoded)
    except CryptoError:
        return None


def _is_empty(message: Mapping[str, Any]) -> bool:
    """True for a RecordsWrite of no bytes: dwn-sdk-js gives such data neither inline nor as a stream."""
    descriptor = message.get("descriptor")
    return isinstance(descriptor, dict) and descriptor.get("dataSize") == 0


def read_candidate(cid: str, reply: Message) -> Candidate | Verdict:
    """The message that a MessagesRead reply (200) holds, or what is wrong with it (invariant 1)."""
    entry = reply.get("entry")
    message = entry.get("message") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(message, dict):
        return _wrong("the reply holds no message")
    try:
        found = message_cid(message)
    except InvalidArgument as error:
        return _wrong(str(error))
    if found != cid:
        return _wrong(f"asked for message {cid}, got {found}")
    message = {name: value for name, value in message.items() if name != "encodedData"}
    data = entry.get("data")
    if not isinstance(data, DataStream):
        data = b"" if _is_empty(message) else None
    return Candidate(cid, message, data if method_of(message) == "Records.Write" else None)


def _wrong(detail: str) -> Verdict:
    return Verdict("wrong message", State.REFUSED, backoff=SOON, detail=f"BadReply: {detail}")


class Chains:
    """Puts the messages that come, in any order, into the order in which they can be applied."""

    def __init__(self) -> None:
        self._bare: dict[str, Chain] = {}
        self._held: dict[str, list[Chain]] = {}
        self._room = HELD_BYTES

    def offer(self, candidate: Candidate) -> Chain:
        """Take a message; returns what can be applied now, in order (invariant 2)."""
        lane = candidate.lane
        if lane == ALONE or not candidate.lacks_data:
            return [*self._bare.pop(lane, []), candidate]
        self._bare.setdefault(lane, []).append(candidate)
        later = _by_age(self._take(record_key(lane), lane))
        return [*self._bare.pop(lane), *(one for chain in later for one in chain)] if later else []

    def hold(self, chain: Chain, key: str) -> bool:
        """Keep what was found to wait for `key` (invariant 3); False if there is no room, or its data is a stream."""
        size = _size(chain)
        if size is None or size > self._room:
            return False
        self._room -= size
        self._held.setdefault(key, []).append(chain)
        return True

    def release(self, keys: Iterable[str]) -> list[Chain]:
        """What waited for one of these, the oldest first."""
        return _by_age(chain for key in keys for chain in self._take(key))

    def left(self) -> list[tuple[Candidate, Verdict]]:
        """What could not be applied for want of data, and why."""
        return [
            (one, waiting_for(record_key(lane), "its data, or a later message of its record"))
            for lane, chain in self._bare.items()
            for one in chain
        ]

    def _take(self, key: str, lane: str | None = None) -> list[Chain]:
        held = self._held.pop(key, [])
        taken = [chain for chain in held if lane in (None, chain[0].lane)]
        if rest := [chain for chain in held if lane not in (None, chain[0].lane)]:
            self._held[key] = rest
        self._room += sum(_size(chain) or 0 for chain in taken)
        return taken


def _by_age(chains: Iterable[Chain]) -> list[Chain]:
    return sorted(chains, key=lambda chain: chain[0].timestamp)


def _size(chain: Chain) -> int | None:
    """About what the chain takes in memory; None if its data is yet to be streamed."""
    total = 0
    for candidate in chain:
        if isinstance(candidate.data, DataStream):
            return None
        total += _MESSAGE_BYTES + len(candidate.data or b"")
    return total
