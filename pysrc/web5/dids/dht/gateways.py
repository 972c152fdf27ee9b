"""Several DID DHT gateways (`PUT` and `GET {gateway}/{z-base-32 key}`), used as if they were one.

Invariants:
1. Only an item that its key has signed is an answer, so a gateway can withhold a document but not make one up.
2. That nothing is there is an answer only if every gateway says it: one that does not know a key is not the whole DHT.
3. Of the items that came, the one with the highest sequence number counts.
4. The failure of each gateway is reported, also if another one could help.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from web5.crypto.encoding import z32_encode
from web5.dids.dht import bep44
from web5.dids.dht.bep44 import SignedItem
from web5.errors import BodyTooLarge, DidError, NoGateway, RemoteError, TimedOut
from web5.ports.clock import Clock, SystemClock
from web5.ports.crypto import Crypto
from web5.ports.http import Http, HttpResponse
from web5.tasks import first_of

REQUEST_SECONDS = 20.0

HEDGE_SECONDS = 1.0
"""Time for a gateway to answer before the next one is asked too; most need a quarter of it."""

SURVEY_SECONDS = 5.0
"""Time for all gateways to answer, where each answer counts and not the quickest alone."""

CONFLICTS = frozenset({409, 412, 428})
"""Status codes of a gateway that holds something newer: 409 (the DID DHT specification, "Register or Update a DID"),
and 412 or 428 from Pkarr relays that compare and swap (https://pubky.org/pkarr, "relays")."""

REFUSAL_BYTES = 64 * 1024
"""Bytes that a refusal may have, be it a proxy's page with its style sheet; the first `_SHOWN` characters are told."""

_SHOWN = 300


@dataclass(frozen=True)
class Answer:
    """One gateway's answer: an item, that it took one, or why neither.

    Parameters:
        conflict: it refused because it holds something newer.
        clock: it refused because the sequence number is ahead of its clock, which says this.
    """

    gateway: str
    item: SignedItem | None = None
    error: DidError | RemoteError | None = None
    conflict: bool = False
    clock: int | None = None

    @property
    def code(self) -> str:
        """The DID Core name of the error."""
        return self.error.code if isinstance(self.error, DidError) else "internalError"


@dataclass(frozen=True)
class Answers:
    """The answers of several gateways about one key."""

    all: Sequence[Answer] = ()

    @property
    def newest(self) -> SignedItem | None:
        """The item with the highest sequence number."""
        return max((answer.item for answer in self.all if answer.item), key=lambda item: item.seq, default=None)

    @property
    def failed(self) -> list[Answer]:
        """The answers of those that could not help."""
        return [answer for answer in self.all if answer.error]

    @property
    def reason(self) -> str:
        """The failures in one line; with the gateways' names, if more than one was asked."""
        texts = [str(answer.error).removeprefix(f"{answer.code}: ") for answer in self.failed]
        if len(self.all) == 1:
            return "".join(texts)
        return "; ".join(f"{answer.gateway}: {text}" for answer, text in zip(self.failed, texts, strict=True))

    @property
    def details(self) -> dict[str, Any]:
        """The failures for the resolution metadata; empty if there are none."""
        listed = [
            {"gateway": answer.gateway, "error": answer.code, "errorMessage": str(answer.error)}
            for answer in self.failed
        ]
        return {"gatewayFailures": listed} if listed else {}

    def error(self) -> DidError:
        """Return the failure of all of them; notFound only if they agree on that (invariant 2)."""
        worst = next((answer for answer in self.failed if answer.code != "notFound"), self.failed[0])
        return DidError(worst.code, self.reason, self.details)


class Gateways:
    """The gateways of one agent or node.

    Parameters:
        uris: base URLs of DID DHT gateways or Pkarr relays, the preferred one first. Without any, whatever would ask
            one raises NoGateway.
    """

    def __init__(self, http: Http, crypto: Crypto, uris: Iterable[str], clock: Clock | None = None) -> None:
        self.use(uris)
        self._http = http
        self._crypto = crypto
        self._clock = clock or SystemClock()

    def use(self, uris: Iterable[str]) -> None:
        """Take these from now on in the place of those before."""
        self.uris = tuple(dict.fromkeys(uris))

    @property
    def preferred(self) -> str:
        """The first of them.

        Raises:
            NoGateway: there is none.
        """
        if not self.uris:
            raise NoGateway
        return self.uris[0]

    async def find(self, key: bytes) -> Answers:
        """Ask until one has an item: the next gateway is asked if one cannot help, or is slow.

        Raises:
            NoGateway: there is none to ask.
        """
        untried = [self.preferred, *self.uris[1:]]
        running: set[asyncio.Task[Answer]] = set()
        answers: list[Answer] = []
        try:
            while (untried or running) and not any(answer.item for answer in answers):
                if untried:
                    running.add(asyncio.create_task(self.ask(untried.pop(0), key)))
                done = await self._wait(running, HEDGE_SECONDS, asyncio.FIRST_COMPLETED)
                running -= done
                answers += [task.result() for task in done]
        finally:
            for task in running:
                task.cancel()
        return Answers(answers)

    async def survey(self, key: bytes) -> Answers:
        """Ask all of them; one that takes longer than `SURVEY_SECONDS` has timed out."""
        asked = {uri: asyncio.create_task(self.ask(uri, key)) for uri in self.uris}
        try:
            done = await self._wait(set(asked.values()), SURVEY_SECONDS, asyncio.ALL_COMPLETED)
        finally:
            for task in asked.values():
                task.cancel()
        late = TimedOut(f"nothing came in {SURVEY_SECONDS:g} s")
        return Answers([task.result() if task in done else Answer(uri, error=late) for uri, task in asked.items()])

    async def ask(self, gateway: str, key: bytes) -> Answer:
        """Ask one gateway for the item under a key."""
        try:
            return Answer(gateway, await self._get(gateway, key))
        except (DidError, RemoteError) as error:
            return Answer(gateway, error=error)

    async def put(self, item: SignedItem) -> AsyncGenerator[Answer, None]:
        """Give an item to all of them at once; their answers, as they come.

        Leave it with `contextlib.aclosing`: requests that are still under way are then given up.
        """
        tasks = [asyncio.create_task(self._put(uri, item)) for uri in self.uris]
        try:
            for answer in asyncio.as_completed(tasks):
                yield await answer
        finally:
            for task in tasks:
                task.cancel()

    async def _wait(
        self, running: set[asyncio.Task[Answer]], seconds: float, return_when: str
    ) -> set[asyncio.Task[Answer]]:
        """Return those that are done, as `asyncio.wait` with a timeout does, but by this clock."""
        await first_of(asyncio.wait(running, return_when=return_when), self._clock.sleep(seconds))
        return {task for task in running if task.done()}

    async def _get(self, gateway: str, key: bytes) -> SignedItem:
        response = await self._http.request("GET", _url(gateway, key), timeout=REQUEST_SECONDS)
        if response.status != 200:
            refusal = await _refusal("GET", response)
            if response.status == 404:
                raise DidError("notFound", f"Pkarr record not found for: {z32_encode(key)}")
            raise DidError("internalError", refusal)
        try:
            item = bep44.parse_relay_payload(key, await response.read(bep44.PAYLOAD_LIMIT))
        except BodyTooLarge as error:
            raise DidError("invalidDidDocumentLength", str(error)) from error
        if not await bep44.verify_item(item, self._crypto):
            raise DidError("invalidSignature", "Invalid signature for DHT BEP44 message")
        return item

    async def _put(self, gateway: str, item: SignedItem) -> Answer:
        headers = {"content-type": "application/octet-stream"}
        try:
            response = await self._http.request(
                "PUT", _url(gateway, item.key), headers=headers, body=bep44.encode(item), timeout=REQUEST_SECONDS
            )
            refused = DidError("internalError", await _refusal("PUT", response))
        except RemoteError as error:
            return Answer(gateway, error=error)
        if 200 <= response.status < 300:
            return Answer(gateway)
        clock = bep44.told_clock(str(refused))
        return Answer(gateway, error=refused, conflict=response.status in CONFLICTS, clock=clock)


def _url(gateway: str, key: bytes) -> str:
    return f"{gateway.rstrip('/')}/{z32_encode(key)}"


async def _refusal(method: str, response: HttpResponse) -> str:
    try:
        reason = (await response.read(REFUSAL_BYTES)).decode("utf-8", "replace").strip()[:_SHOWN]
    except BodyTooLarge:
        reason = ""
    return f"the DID DHT gateway answered {method} with {response.status}" + (f": {reason}" if reason else "")
