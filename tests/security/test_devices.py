"""Who sees the code of a device, or runs the node between two, gets nothing; by the numbers of `devices.pairing`."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

import pytest

from tests.unit.api.test_devices import Phone, offered
from tests.unit.api.test_web5_connect import connected
from tests.unit.conftest import World
from web5.agent.agent import Agent
from web5.agent.delegation.connect import relay
from web5.agent.devices import pairing
from web5.agent.devices.code import DeviceCode
from web5.agent.devices.pairing import Step
from web5.crypto.encoding import b64url_encode
from web5.errors import NotPaired, NotPairedReason


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web5.agent.devices.pairing.POLL_SECONDS", 0.01)


class Eve:
    """Somebody who has seen the code, and can read and write at the relay."""

    def __init__(self, agent: Agent, code: str) -> None:
        self.agent = agent
        self.code = DeviceCode.parse(code)

    def step(self, what: str, secret: bytes | None = None) -> Step:
        return Step.of(self.code, self.code.public if secret is None else secret, what)

    async def ask(self) -> tuple[bytes, bytes]:
        """Ask in the place of the other device; the key, and the secret that is shared then."""
        private = await self.agent.crypto.generate_key("X25519")
        public = pairing.public_key(private)
        await self.step("request").leave(self.agent.http, {"publicKey": b64url_encode(public), "name": "Ada's phone"})
        secret = await pairing.agree(self.agent.crypto, self.code, private, self.code.public, public)
        return public, secret


async def test_2_who_puts_himself_in_the_place_of_the_second_device_gets_nothing(world: World) -> None:
    laptop = await connected(world)
    offer, phone = await offered(laptop), Phone(await world.blank_device("phone"), world)
    eve = Eve(await world.device("eve"), offer.code)
    async with phone.joining(offer.code) as task:
        # She is quicker than the laptop.
        await eve.step("request").awaited(eve.agent.http, eve.agent.clock, float("inf"))
        _, secret = await eve.ask()
        assert await offer.requested() == "Ada's phone"
        hello = await eve.step("hello", secret).awaited(eve.agent.http, eve.agent.clock, float("inf"))
        hers = pairing.number_of(secret, pairing.bytes_of(hello, "drawn", 16))
        # The phone got no hello that is for it: it shows no number, so there is none that could be typed.
        assert not phone.number.done()
        wrong = f"{(int(hers) + 1) % 10**6:06d}"
        for _ in range(3):
            with pytest.raises(NotPaired):
                await offer.approve(wrong)
        assert await eve.step("answer", secret).take(eve.agent.http) == {"refused": True}
        assert not task.done()
    assert phone.agent.vault.state == "new"


async def test_2_the_number_of_the_second_device_is_not_that_of_another(world: World) -> None:
    """Whatever key she chooses, and whatever the relay says on: she does not know what she would have to hit."""
    laptop = await connected(world)
    offer, phone = await offered(laptop), Phone(await world.blank_device("phone"), world)
    eve = Eve(await world.device("eve"), offer.code)
    async with phone.joining(offer.code):
        await offer.requested()
        shown = await phone.number
    numbers = set()
    for _ in range(20):
        private = await eve.agent.crypto.generate_key("X25519")
        public = pairing.public_key(private)
        secret = await pairing.agree(eve.agent.crypto, eve.code, private, eve.code.public, public)
        numbers.add(pairing.number_of(secret, os.urandom(16)))
    assert shown not in numbers
    assert len(numbers) > 15


async def test_a_code_is_of_use_once(world: World) -> None:
    laptop = await connected(world)
    offer, phone = await offered(laptop), Phone(await world.blank_device("phone"), world)
    async with phone.joining(offer.code) as task:
        await offer.requested()
        await offer.approve(await phone.number)
        await task
    late = Phone(await world.blank_device("late"), world)
    async with late.joining(offer.code) as task:
        with pytest.raises(NotPaired) as failed:
            await task
    assert failed.value.reason is NotPairedReason.USED
    for again in (offer.requested(), offer.approve(await phone.number)):
        with pytest.raises(NotPaired) as failed:
            await again
        assert failed.value.reason is NotPairedReason.OVER


async def test_who_is_quicker_with_the_code_is_noticed_by_the_second_device(world: World) -> None:
    laptop = await connected(world)
    offer, phone = await offered(laptop), Phone(await world.blank_device("phone"), world)
    eve = Eve(await world.device("eve"), offer.code)
    await eve.ask()
    async with phone.joining(offer.code) as task:
        with pytest.raises(NotPaired) as failed:
            await task
    assert failed.value.reason is NotPairedReason.USED


async def test_1_after_its_time_a_code_is_of_no_use(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    laptop = await connected(world)
    offer, phone = await offered(laptop), Phone(await world.blank_device("phone"), world)
    async with phone.joining(offer.code):
        await offer.requested()
        number = await phone.number
        later = laptop.agent.clock.monotonic() + pairing.SECONDS
        monkeypatch.setattr(laptop.agent.clock, "monotonic", lambda: later)
        assert offer.seconds == 0
        with pytest.raises(NotPaired) as failed:
            await offer.approve(number)
    assert failed.value.reason is NotPairedReason.OVER


async def test_1_who_waits_for_nobody_is_told_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairing, "SECONDS", 0.1)
    with pytest.raises(NotPaired) as failed:
        await (await offered(await connected(world))).requested()
    assert failed.value.reason is NotPairedReason.UNANSWERED


@pytest.mark.parametrize("what", ["invitation", "request", "hello", "answer"])
async def test_3_a_node_that_says_something_else_is_noticed(
    world: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """It can leave nothing out, change nothing, and say nothing twice or in another place."""
    laptop = await connected(world)
    said: dict[str, str] = {}
    steps = iter(["invitation", "request", "hello", "answer"])
    leave = relay.answer

    async def lie(http: Any, url: str, state: str, response: str) -> None:
        step = next(steps)
        said[step] = response
        others = [text for name, text in said.items() if name != step]
        if step != what:
            changed = response
        elif others:
            changed = others[-1]  # what it has heard before, said again
        else:
            head, key, nonce, text, tag = response.split(".")
            changed = ".".join([head, key, nonce, ("B" if text[0] == "A" else "A") + text[1:], tag])
        await leave(http, url, state, changed)

    monkeypatch.setattr(relay, "answer", lie)
    offer, phone = await offered(laptop), Phone(await world.blank_device("phone"), world)
    async with phone.joining(offer.code) as joining:

        async def let_in() -> None:
            await offer.requested()
            await offer.approve(await phone.number)

        letting = asyncio.create_task(let_in())
        await asyncio.wait([letting, joining], return_when=asyncio.FIRST_EXCEPTION)
        failed = [one for one in (letting, joining) if one.done() and one.exception()]
        letting.cancel()
        assert failed
        error = failed[0].exception()
        assert isinstance(error, NotPaired)
        assert error.reason is NotPairedReason.MALFORMED
    assert phone.agent.vault.state == "new"


async def test_1_the_node_reads_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    laptop = await connected(world)
    heard: list[str] = []
    leave = relay.answer

    async def listen(http: Any, url: str, state: str, response: str) -> None:
        heard.append(response)
        await leave(http, url, state, response)

    monkeypatch.setattr(relay, "answer", listen)
    offer, phone = await offered(laptop), Phone(await world.blank_device("phone"), world)
    async with phone.joining(offer.code) as task:
        await offer.requested()
        await offer.approve(await phone.number)
        await task
    assert len(heard) == 4
    secrets = await laptop.agent.vault.secrets()
    told = " ".join(heard) + offer.code + json.dumps([str(offer), repr(DeviceCode.parse(offer.code))])
    for hidden in (b64url_encode(secrets.content_key), laptop.vault.agent_did or "", "Ada", await phone.number):
        assert hidden not in told
