"""The browsers that are not Chromium, each started once for a module's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import pytest_asyncio

from tests.browsers.firefox import firefox
from tests.browsers.tab import Browser
from tests.browsers.webkit import webkit
from tests.contracts.conftest import base, socket_base  # noqa: F401 (fixtures)
from web5_build.environment import browsers


def _firefox(folder: Path) -> AbstractAsyncContextManager[Browser]:
    return firefox(browsers.firefox(), folder)


def _webkit(folder: Path) -> AbstractAsyncContextManager[Browser]:
    return webkit(*browsers.webkit(), folder)


BROWSERS = {"firefox": _firefox, "webkit": _webkit}


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=BROWSERS)
async def browser(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    async with BROWSERS[request.param](tmp_path_factory.mktemp(request.param)) as started:
        yield started
