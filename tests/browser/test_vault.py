"""What protects the keys: nothing is asked first; words and a password when the person wants them; then a lock."""

from __future__ import annotations

import json
import re

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.at_rest import stored_by, stored_in
from tests.browser.conftest import Booted, NewDevice
from tests.browser.world import Device, World
from web5.agent.vault.secrets import derive_secrets
from web5.cpython.crypto import CPythonCrypto
from web5.crypto.encoding import b64url_decode, b64url_encode

pytestmark = pytest.mark.asyncio(loop_scope="session")

PASSWORD = "correct horse \u00fc \U0001f40e"
OTHER = "another password"


@pytest_asyncio.fixture(loop_scope="session")
async def device(empty_device: Device) -> Device:
    """The same for all, with an identity of its own for each."""
    return empty_device


async def test_a_first_launch_asks_nothing_and_invites_quietly(new_device: NewDevice) -> None:
    device = await (await new_device()).ready()
    invitation = device.page.locator("#invitation")
    await expect(invitation).to_contain_text("protected by this browser only")
    await expect(device.page.locator("dialog[open]")).to_have_count(0)
    await device.write("Written without a question")
    await invitation.get_by_role("button", name="Not now").click()
    await expect(invitation).to_be_hidden()
    await device.reload()
    await expect(invitation).to_be_hidden()
    await expect(device.page.locator("#protection-key")).to_contain_text("whoever can use this browser profile")
    await expect(device.page.locator("#protection-phrase")).to_contain_text("not written down yet")


async def test_the_words_are_forgotten_once_two_of_them_are_typed(new_device: NewDevice) -> None:
    device = await (await new_device()).ready()
    page = device.page
    words = (await device.words()).split()
    await expect(page.locator("#protection-phrase")).to_contain_text("not written down yet")  # "Later"
    await page.click("#invitation-phrase")
    await expect(page.locator("#phrase-words > li")).to_have_count(0)  # nobody has said yes
    await page.click("#reveal-save")
    await page.click("#phrase-next")
    await page.fill("#phrase-first", "nonsense")
    await page.keyboard.press("Enter")
    await expect(page.locator("#phrase-problem")).to_have_text(re.compile(r"Word \d+ is another one"))
    for place in ("first", "second"):
        label = await page.locator(f"#phrase-{place}-label").text_content() or ""
        await page.fill(f"#phrase-{place}", f" {words[int(label.split()[1]) - 1].title()} ")
    await page.keyboard.press("Enter")
    await expect(page.locator("#phrase-dialog")).to_be_hidden()
    await expect(page.locator("#protection-phrase")).to_contain_text("Twelve words: written down")
    await expect(page.locator("#phrase-open")).to_be_hidden()
    await expect(page.locator("#invitation")).to_contain_text("no password")
    assert await device.ask("words") == []
    assert "".join(await page.locator("#phrase-words").all_text_contents()).strip() == ""


async def test_a_password_is_typed_twice_and_not_blank_or_short(device: Device) -> None:
    page, problem = device.page, device.page.locator("#password-problem")
    await page.click("#invitation-password")
    await page.fill("#password-new", " ")
    await page.fill("#password-again", " ")
    await page.click("#password-save")
    await expect(problem).to_contain_text("cannot be blank")
    await page.fill("#password-new", "seven c")
    await page.fill("#password-again", "seven c")
    await page.click("#password-save")
    await expect(problem).to_contain_text("at least 8 characters")
    await page.fill("#password-new", PASSWORD)
    await page.click("#password-save")
    await expect(problem).to_contain_text("not the same")
    await page.click("#password-cancel")
    await expect(page.locator("#protection-key")).to_contain_text("whoever can use this browser profile")


async def test_a_password_locks_the_page_and_opens_it_again(device: Device) -> None:
    page = device.page
    await device.write("Behind the lock")
    await device.set_password(PASSWORD)
    await page.fill("#note-text", "Half a thought")
    await device.at("Settings")
    await page.click("#lock-now")
    await device.is_locked()
    await device.summary("Locked")
    await expect(page.locator("#note-text")).to_be_hidden()
    await expect(page.locator("#identity")).to_be_hidden()
    await expect(page.locator("#lock-password")).to_be_focused()

    await device.unlock("wrong")
    await expect(page.locator("#lock-problem")).to_have_text("That is not the password.")
    await device.unlock(PASSWORD)
    await expect(page.locator("#identity")).to_be_visible()
    await device.at("Notes")
    await expect(device.note("Behind the lock")).to_be_visible()
    await expect(page.locator("#note-text")).to_have_value("Half a thought")
    await device.summary("All synced")
    await device.remove_password(PASSWORD)


async def test_a_reload_locks_and_sync_goes_on_after_it(device: Device, world: World) -> None:
    await device.set_password(PASSWORD)
    await device.reload_locked(PASSWORD)
    await device.write("After the lock")
    for endpoint in world.endpoints:
        await expect(device.node(endpoint).locator('[data-slot="state"]')).to_have_text("Live")
    await device.summary("All synced")
    await device.remove_password(PASSWORD)


async def test_tabs_are_locked_and_opened_together(device: Device, shared: Booted, world: World) -> None:
    await device.write("Seen in both tabs")
    second = Device(device.context, world.origin)
    await second.open()
    await second.ready()
    await device.set_password(PASSWORD)
    await expect(second.page.locator("#protection-key")).to_contain_text("locked by your password")
    await second.at("Settings")
    await second.page.click("#lock-now")
    for tab in (device, second):
        await tab.is_locked()
    await device.unlock(PASSWORD)
    await second.at("Notes")
    for tab in (device, second):
        await expect(tab.note("Seen in both tabs")).to_be_visible()

    await device.page.close()  # it had the key
    await second.is_locked()
    await second.unlock(PASSWORD)
    await expect(second.note("Seen in both tabs")).to_be_visible()
    assert second.complaints == []
    await second.remove_password(PASSWORD)
    shared.replace("device", second)


async def test_a_note_that_meets_a_lock_is_saved_after_it(device: Device, shared: Booted, world: World) -> None:
    await device.set_password(PASSWORD)
    second = Device(device.context, world.origin)
    await second.open()
    await second.ready()
    await device.page.close()  # the other finds itself locked when it asks next
    await second.page.fill("#note-text", "Not lost")
    await second.page.press("#note-text", "Control+Enter")
    await second.is_locked()
    await second.unlock(PASSWORD)
    if await second.page.input_value("#note-text"):  # it was locked before the key was pressed, and kept the text
        await second.page.press("#note-text", "Control+Enter")
    await expect(second.note("Not lost")).to_be_visible()
    await expect(second.page.locator("#drafts > li")).to_have_count(0)
    assert second.complaints == []
    await second.remove_password(PASSWORD)
    shared.replace("device", second)


async def test_a_password_is_changed_and_removed(device: Device) -> None:
    page = device.page
    await device.set_password(PASSWORD)
    await device.at("Settings")
    await page.click("#password-open")
    for place, text in (("old", "wrong"), ("new", OTHER), ("again", OTHER)):
        await page.fill(f"#password-{place}", text)
    await page.click("#password-save")
    await expect(page.locator("#password-problem")).to_have_text("That is not the password.")
    await page.click("#password-cancel")
    await device.set_password(OTHER, old=PASSWORD)
    await page.reload()
    await device.is_locked()
    await device.unlock(PASSWORD)
    await expect(page.locator("#lock-problem")).to_have_text("That is not the password.")
    await device.unlock(OTHER)
    await device.ready()

    await device.remove_password(OTHER)
    await device.reload()


async def test_keys_and_words_are_given_for_the_password_alone(device: Device) -> None:
    page, words = device.page, await device.words()
    await device.set_password(PASSWORD)
    await device.at("Settings")
    for opener, name in (("phrase-open", "reveal"), ("export-open", "export")):
        await page.click(f"#{opener}")
        for wrong in ("", "wrong password"):
            await page.fill(f"#{name}-password", wrong)
            await page.click(f"#{name}-save")
            await expect(page.locator(f"#{name}-problem")).to_have_text("That is not the password.")
        await page.click(f"#{name}-cancel")
    assert await device.words(PASSWORD) == words
    await expect(page.locator("#phrase-words > li")).to_have_count(0)
    assert len(_private_keys(await device.export(PASSWORD))) > 1
    assert await page.locator("#export-password").input_value() == ""
    await device.remove_password(PASSWORD)


async def test_the_words_open_a_vault_whose_password_is_forgotten(new_device: NewDevice) -> None:
    device = await (await new_device()).ready()
    did = await device.did()
    await device.write("Still here")
    words = await device.words()
    await device.set_password(PASSWORD)
    await device.at("Settings")
    await device.page.click("#lock-now")
    await device.is_locked()
    await device.page.click("#lock-recovery")
    await device.recover(words, OTHER)
    await device.page.click("#recovery-close")
    async with device.visiting("Notes"):
        await expect(device.note("Still here")).to_be_visible()
    assert await device.did() == did
    await device.page.click("#lock-now")
    await device.is_locked()
    await device.unlock(OTHER)
    await device.at("Notes")
    await expect(device.note("Still here")).to_be_visible()


async def test_no_secret_is_stored_readably_here_or_at_a_node(new_device: NewDevice, world: World) -> None:
    device = await (await new_device()).ready()
    phrase = await device.words()
    for name in ("Second", "Third"):
        await device.ask("create_identity", called=name, known=[])
    private = []
    for identity in await device.ask("identities"):
        await device.ask("choose_identity", did=identity["did"])
        await device.write(f"a readable note of {identity['name']}")
        exported = await device.export()
        private += [key["d"] for key in _private_keys(exported)]
    await device.set_password("a password to look for")
    await device.summary("All synced")

    secrets = await derive_secrets(phrase, CPythonCrypto())
    private += [b64url_encode(secrets.content_key), *(key["d"] for key in secrets.portable_did.private_keys or ())]
    words = phrase.split()
    secrets = {"a password to look for", phrase}
    secrets |= {between.join(words[at : at + 3]) for at in range(10) for between in (" ", '","', '", "', "\n")}
    wanted = [text.encode() for text in secrets] + [text.encode("utf-16-le") for text in secrets]
    wanted += [
        form for key in private for form in (key.encode(), b64url_decode(key), b64url_decode(key).hex().encode())
    ]
    assert len(private) > 9

    here, there = await stored_by(device.page), stored_in(world.folder)
    assert b"a readable note of Third" in here  # else it would prove nothing
    assert b"a readable note of Third" in there
    assert [secret for secret in wanted if secret in here] == []
    assert [secret for secret in wanted if secret in there] == []


def _private_keys(exported: str) -> list[dict[str, str]]:
    keys: list[dict[str, str]] = json.loads(exported)["portableDid"]["privateKeys"]
    return keys
