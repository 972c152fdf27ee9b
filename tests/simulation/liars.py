"""Endpoints that lie about what they took, list what they do not give, and contradict themselves: one table.

Who says that he took something, or leaves out what he has, is found out when he is asked for everything, a day later.
"""

from __future__ import annotations

from tests.simulation.exchange import LISTS, PAGES, READS, WRITES, Exchange, Fault
from web5.dwn.values.cid import dag_cbor_cid, message_cid
from web5.dwn.values.types import Message

LONG_LIST = 1000
"""The length of a list after which there may be more (`web5.sync.exchange.peer.LONG`)."""

ENDLESS = 3
"""Lists of that length in which an endless one says something new: more would take long and tell nothing more."""


async def _forgets(exchange: Exchange) -> Message:
    exchange.memory.setdefault("forgotten", []).append(message_cid(exchange.message))
    return {"status": {"code": 202, "detail": "Accepted"}}


async def _lists_what_it_forgot(exchange: Exchange) -> Message:
    reply = await exchange.process()
    if isinstance(reply.get("entries"), list):
        reply["entries"] = [*reply["entries"], *dict.fromkeys(exchange.memory.get("forgotten", ()))]
    return reply


async def _denies(exchange: Exchange) -> Message:
    return {"status": {"code": 404, "detail": "Not Found"}}


async def _hides(exchange: Exchange) -> Message:
    """List some of it, another time others, in any order."""
    reply = await exchange.process()
    entries = reply.get("entries")
    if isinstance(entries, list):
        reply["entries"] = exchange.random.sample(entries, exchange.random.randint(0, len(entries)))
    return reply


async def _shuffles(exchange: Exchange) -> Message:
    reply = await exchange.process()
    if isinstance(reply.get("entries"), list):
        exchange.random.shuffle(reply["entries"])
    return reply


async def _endless_list(exchange: Exchange) -> Message:
    """List something new again and again, and then the same again and again, always with more to come."""
    reply = await exchange.process()
    number = exchange.memory["lists"] = min(exchange.memory.get("lists", 0) + 1, ENDLESS)
    if isinstance(reply.get("entries"), list):
        reply["entries"] = [*reply["entries"], *(dag_cbor_cid([number, place]) for place in range(LONG_LIST))]
        reply["cursor"] = {"endless": exchange.random.getrandbits(32)}
    return reply


async def _cursor_goes_back(exchange: Exchange) -> Message:
    reply = await exchange.process()
    cursor = reply.get("cursor")
    if isinstance(cursor, dict):
        cursors = exchange.memory.setdefault("cursors", [])
        cursors.append(cursor)
        reply["cursor"] = exchange.random.choice(cursors)
    return reply


async def _nothing_with_more_to_come(exchange: Exchange) -> Message:
    reply = await exchange.process()
    if isinstance(reply.get("entries"), list):
        reply |= {"entries": [], "cursor": {"more": exchange.random.getrandbits(32)}}
    return reply


async def _same_page(exchange: Exchange) -> Message:
    """Give the same page whatever it is asked for, with more to come."""
    reply = exchange.memory.setdefault("page", await exchange.process())
    return {**reply, "cursor": {"again": exchange.random.getrandbits(32)}}


LIES: dict[str, Fault] = {
    "forgets": Fault("is told 202, and forgotten", WRITES, _forgets, lies=True),
    "lists what it forgot": Fault("is told of what was forgotten too", LISTS, _lists_what_it_forgot, lies=True),
    "denies": Fault("is told 404, not there", READS, _denies, lies=True),
    "hides": Fault("is told some of it", LISTS, _hides, lies=True),
    "shuffles": Fault("is told it in another order", LISTS, _shuffles, lies=True),
    "endless list": Fault("gets a list that does not end", LISTS, _endless_list, lies=True),
    "cursor goes back": Fault("gets an older cursor", LISTS | PAGES, _cursor_goes_back),
    "nothing": Fault("gets an empty page, with more to come", LISTS | PAGES, _nothing_with_more_to_come, lies=True),
    "same page": Fault("gets the same page again", PAGES, _same_page),
}
