"""Browsers whose profile is on disk, each lent to one device after the other.

A page that starts in a profile where it has started before finds its code compiled, which is half of the work. What
the site had stored there is gone by then, so the page is as new. Beside its cache, the browser keeps the permissions
that the site was given.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import urljoin

from playwright.async_api import BrowserContext, BrowserType, Error, Page

from tests.chromium import TEST_FLAGS

# Databases are deleted once nobody has them open any more; so the pages that were closed are gone by then.
EMPTY = """async () => {
  for (const { name } of await indexedDB.databases()) {
    await new Promise((resolve, reject) => {
      const request = indexedDB.deleteDatabase(name);
      request.onsuccess = resolve;
      request.onerror = () => reject(request.error);
    });
  }
}"""

MOST_PRINTED = 5000
"""Characters that are printed of a page in which a test has failed."""


class Profiles:
    """Lends browsers in which the site has stored nothing.

    Parameters:
        origin: the address of the site, with a slash at the end.
        folder: where the profiles are.
        locale: the language that the browsers ask for; by default their own.
    """

    def __init__(
        self,
        browsers: BrowserType,
        program: str,
        headless: bool,
        origin: str,
        folder: Path,
        locale: str | None = None,
    ) -> None:
        self._browsers = browsers
        self._program = program
        self._headless = headless
        self._origin = origin
        self._folder = folder
        self._locale = locale
        self._idle: list[BrowserContext] = []
        self._made = 0

    async def lend(self) -> BrowserContext:
        """Return a browser that is nobody else's until it is given back."""
        if self._idle:
            return self._idle.pop()
        self._made += 1
        return await self._browsers.launch_persistent_context(
            self._folder / str(self._made),
            executable_path=self._program,
            args=TEST_FLAGS,
            headless=self._headless,
            locale=self._locale,
            service_workers="block",
        )

    async def give_back(self, context: BrowserContext, *, spoilt: bool) -> None:
        """Close the pages of a browser and empty what the site has stored.

        Parameters:
            spoilt: a test failed, and nobody knows what it has left; the browser is ended.
        """
        if spoilt:
            for page in context.pages:
                await _print(page)
            await context.close()
            return
        keeper = await context.new_page()  # a browser without a page would end
        for page in context.pages:
            if page is not keeper:
                await page.close()
        await context.unroute_all(behavior="ignoreErrors")
        await context.set_offline(False)
        await keeper.goto(urljoin(self._origin, "assets/mark.svg"))
        await keeper.evaluate(EMPTY)
        session = await context.new_cdp_session(keeper)
        await keeper.goto("about:blank")
        stored = {"origin": self._origin.rstrip("/"), "storageTypes": "all"}
        await session.send("Storage.clearDataForOrigin", stored)
        await session.detach()
        self._idle.append(context)

    async def close(self) -> None:
        """End the browsers that are not lent."""
        while self._idle:
            await self._idle.pop().close()
        shutil.rmtree(self._folder, ignore_errors=True)


async def _print(page: Page) -> None:
    """Print what a page shows, for the report of the test that failed in it."""
    try:
        shown = await page.evaluate("document.body.innerText")
    except Error as error:
        shown = str(error)
    print(f"---- {page.url}\n{shown[:MOST_PRINTED]}")
