"""Reference dwn-servers that demand registration, through whole syncs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from hashlib import sha256
from pathlib import Path

import pytest
import pytest_asyncio

from tests.interop.dwn_server import ReferenceDwnServer
from tests.interop.sync.devices import Device
from tests.interop.sync.setting import Setting
from tests.watch import Watch
from web5.node.registration import RegistrationSettings
from web5.sync import Activity, Registration, RegistrationState

pytestmark = pytest.mark.asyncio(loop_scope="session")

TERMS = "Sei nett. — Be kind.\n"
HASH = sha256(TERMS.encode()).hexdigest()
WORK = 2000

Demanding = Callable[[RegistrationSettings], Awaitable[Setting]]


@pytest_asyncio.fixture(loop_scope="session")
async def setting_with(tmp_path: Path, gateway: str, servers: list[ReferenceDwnServer]) -> AsyncIterator[Demanding]:
    """Makes a setting whose first server demands this of its tenants."""
    one = ReferenceDwnServer(tmp_path / "one", gateway)

    async def make(demands: RegistrationSettings) -> Setting:
        one.registration = demands
        await one.start()
        return await Setting.make(tmp_path, gateway, one, servers[1])

    yield make
    await one.kill()


def registration(device: Device, setting: Setting) -> Registration:
    found = (status.registration for status in device.sync.status() if status.endpoint == setting.one.url)
    return next(found, Registration())


async def test_terms_and_work_are_met_and_everything_arrives(setting_with: Demanding) -> None:
    setting = await setting_with(RegistrationSettings(TERMS, WORK))
    async with (
        setting.device("phone") as phone,
        setting.device("laptop") as laptop,
    ):
        note = await phone.write(b"hello")
        assert not (await phone.sync.now()).ok
        found = registration(phone, setting)
        assert (found.state, found.terms_hash) == (RegistrationState.TERMS, HASH)
        assert await phone.listed_by(setting.two.url) == phone.held()
        demands = await phone.registrar.demands(setting.one.url)
        assert demands.terms and demands.terms.text == TERMS
        assert demands.challenge and demands.challenge.hashes == WORK

        await phone.registrar.accept_terms(setting.one.url, HASH)
        assert (await phone.sync.now()).ok
        assert registration(phone, setting).state is RegistrationState.DONE
        assert await phone.listed_by(setting.one.url) == phone.held()

        # The tenant is registered, from whichever device that was done.
        assert (await laptop.sync.now()).ok
        assert registration(laptop, setting) == Registration()
        assert await laptop.contents() == {note["recordId"]: b"hello"}


async def test_terms_of_no_words_are_no_question(setting_with: Demanding) -> None:
    setting = await setting_with(RegistrationSettings("", WORK))
    async with setting.device("phone") as phone:
        await phone.write(b"hello")
        assert (await phone.sync.now()).ok
        assert registration(phone, setting).state is RegistrationState.DONE
        assert await phone.listed_by(setting.one.url) == phone.held()


async def test_a_server_that_lost_everything_is_registered_with_anew_and_one_with_other_terms_asks(
    setting_with: Demanding,
) -> None:
    setting = await setting_with(RegistrationSettings(TERMS, WORK))
    async with setting.device("phone") as phone:
        await phone.write(b"hello")
        await phone.registrar.accept_terms(setting.one.url, HASH)
        assert (await phone.sync.now()).ok
        await setting.one.wipe()
        assert (await phone.sync.now()).ok
        assert await phone.listed_by(setting.one.url) == phone.held()

        setting.one.registration = RegistrationSettings("Be kinder.", WORK)
        await setting.one.restart()
        phone.registrar.retry(setting.one.url)
        assert not (await phone.sync.now()).ok
        [status] = [status for status in phone.sync.status() if status.endpoint == setting.one.url]
        assert status.registration.state is RegistrationState.TERMS
        assert status.last_error == (401, "Agreed terms-of-service is outdated.")


@pytest.mark.parametrize(
    ("demands", "reason"),
    [
        (RegistrationSettings(hashes=WORK), "but still says: Agreed terms-of-service is outdated."),
        (RegistrationSettings(TERMS), "does not register: 500"),
        (RegistrationSettings(), "does not say how"),
    ],
)
async def test_a_server_that_honours_no_registration_is_told_as_such(
    setting_with: Demanding, demands: RegistrationSettings, reason: str
) -> None:
    setting = await setting_with(demands)
    async with setting.device("phone") as phone:
        await phone.write(b"hello")
        await phone.registrar.accept_terms(setting.one.url, HASH)
        assert not (await phone.sync.now()).ok
        found = registration(phone, setting)
        assert found.state is RegistrationState.FAILED
        assert reason in (found.reason or "")
        assert await phone.listed_by(setting.two.url) == phone.held()


async def test_live_begins_at_once_after_consent(setting_with: Demanding) -> None:
    setting = await setting_with(RegistrationSettings(TERMS, WORK))
    async with setting.device("phone") as phone:
        watch = Watch(phone)
        await phone.write(b"hello")
        await phone.sync.start("live")
        await watch.until(lambda: registration(phone, setting).asks)
        await phone.registrar.accept_terms(setting.one.url, HASH)
        await watch.until(lambda: {status.activity for status in phone.sync.status()} == {Activity.LIVE})
        assert await phone.listed_by(setting.one.url) == phone.held()
