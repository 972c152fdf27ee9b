"""Archives between browsers, and between a browser and CPython: written in the page of one, read in another's."""

from __future__ import annotations

import io
import json
import zipfile
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page

from tests.contracts.chromium_harness import browser_context, open_page, python, served
from web5 import Web5

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSWORD = "eight or more"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pages(
    site: Path, chromium: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Page, Page]]:
    """The pages of two devices."""
    with served(site) as address:
        async with (
            browser_context(chromium, tmp_path_factory.mktemp("laptop")) as laptop,
            browser_context(chromium, tmp_path_factory.mktemp("phone")) as phone,
        ):
            yield await open_page(laptop, address), await open_page(phone, address)


async def test_what_one_browser_exports_another_and_cpython_import(pages: tuple[Page, Page], tmp_path: Path) -> None:
    laptop, phone = pages
    exported = json.loads(await python(laptop, "export_to_blob", "exported"))
    assert exported["type"] == "application/zip"
    found = json.loads(await python(phone, "import_from_blob", "imported", exported["archive"]))
    assert found == {
        "did": exported["did"],
        "taken": exported["messages"],
        "complete": True,
        "texts": ["a note", "12-34-56"],
        "film": [True, "video/webm"],
        "again": exported["messages"],
    }
    archive = io.BytesIO(b64decode(exported["archive"]))
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
    connection = await Web5.connect(
        data_path=tmp_path / "cpython", did_dht_gateways=["http://127.0.0.1:9/"], dwn_endpoints=[], sync="off"
    )
    async with connection as web5:
        report = await web5.import_(archive, password=PASSWORD)
        assert (report.taken, report.complete) == (exported["messages"], True)
        there = await web5.use(report.did)
        [lock] = await there.dwn.records.query(schema="https://example.org/lock")
        assert await lock.data.text() == "12-34-56"
        back = io.BytesIO()
        await there.export(back, password=PASSWORD)
    found = json.loads(await python(phone, "import_from_blob", "back", b64encode(back.getvalue()).decode()))
    assert (found["complete"], found["texts"]) == (True, ["a note", "12-34-56"])


async def test_a_film_goes_to_a_file_of_the_origin_and_back_in_little_memory(pages: tuple[Page, Page]) -> None:
    await python(pages[0], "archive_in_little_memory", "large")


async def test_a_stream_gets_the_archive(pages: tuple[Page, Page]) -> None:
    await python(pages[0], "archive_through_a_stream", "streamed")
