"""The playground: programs of Python with the node of the notes, run and changed in the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.accessibility import faults
from tests.browser.world import Device, World

pytestmark = pytest.mark.asyncio(loop_scope="session")

PROGRAMS = Path(__file__).parents[2] / "web" / "playground" / "programs"
START = 240_000
"""Milliseconds for Python to be there and a program to end, on a machine that does other things too."""
ENDINGS = {
    "hello": "Read: Hello from Python",
    "models": "InvalidArgument",
    "live": "tidied up",
    "nodes": "on its way",
    "encrypted": '"encryption"',
    "publish": "as a stranger finds it: <h1>Hello</h1>",
}
"""What the output of each program has, if all of it was right."""


async def _run(page: Page) -> str:
    await page.get_by_role("button", name="Run").click()
    await expect(page.get_by_role("status")).to_have_text("", timeout=START)
    await expect(page.get_by_role("button", name="Stop")).to_be_disabled(timeout=START)
    return await page.get_by_role("log").inner_text()


async def _type(page: Page, program: str) -> None:
    editor = page.get_by_role("textbox", name="Python")
    await editor.press("ControlOrMeta+a")
    await page.keyboard.insert_text(program)  # as from a clipboard, so that nothing is indented or closed by itself


async def test_programs_run_are_changed_stopped_and_share_the_notes_node(shared_device: Device, world: World) -> None:
    await shared_device.write("seen from Python")
    device = Device(shared_device.context, f"{world.origin}playground/index.html")
    page = await device.open()
    assert {path.stem for path in PROGRAMS.glob("*.py")} == set(ENDINGS)
    for name, ending in ENDINGS.items():
        await page.get_by_label("Program", exact=True).select_option(name)
        output = await _run(page)
        assert ending in output, f"{name}: {output}"
        assert "Traceback" not in output, f"{name}: {output}"

    assert await faults(page) == []
    await _type(page, "records = await web5.dwn.records.query()\n[await one.data.text() for one in records]")
    assert "seen from Python" in await _run(page), "it is the node of the notes"
    await _type(page, "print('still here')\nlen(records) / 0")
    output = await _run(page)
    assert "still here" in output
    assert 'File "<program>", line 2' in output
    assert "ZeroDivisionError" in output
    assert "run.py" not in output

    await _type(page, "import asyncio\nprint('waits')\nawait asyncio.sleep(3600)")
    await page.get_by_role("button", name="Run").click()
    await expect(page.get_by_role("log")).to_contain_text("waits")
    await page.get_by_role("button", name="Stop").click()
    await expect(page.get_by_role("log")).to_contain_text("Stopped.")
    await _type(page, "print('spins')\nwhile True: pass")
    await page.get_by_role("button", name="Run").click()
    await expect(page.get_by_role("log")).to_contain_text("spins")
    await page.get_by_role("button", name="Stop").click()
    await expect(page.get_by_role("log")).to_contain_text("It did not stop by itself")

    await _type(page, "print('kept', did[:8])")
    await page.reload()
    await expect(page.get_by_role("textbox", name="Python")).to_contain_text("kept")
    assert "kept did:dht:" in await _run(page), "and Python starts again after one that was ended"
    await page.get_by_role("button", name="As it was").click()
    await expect(page.get_by_role("textbox", name="Python")).not_to_contain_text("kept")
    # Of what is typed over a selection, Chromium would keep the style; CodeMirror writes it anew.
    assert [one for one in device.complaints if not one.startswith("Applying inline style")] == []
    await page.close()
