"""The settings of a site; the numbers are the invariants of `web5.browser.site.site_settings`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest

from tests.watch import until
from web5.browser.site.site_settings import fetch_settings
from web5.errors import SettingsError, StorageError, TimedOut, Unreachable
from web5.ports.clock import SystemClock
from web5.ports.http import BodyStream, HttpResponse
from web5.settings import Settings

URL = "https://site.example/notes/config.json"
GOOD = b'{"dwn_endpoints": ["dwn0"], "did_dht_gateways": ["dht"]}'
READ = Settings(dwn_endpoints=["https://site.example/notes/dwn0"], did_dht_gateways=["https://site.example/notes/dht"])


class Answer(HttpResponse):
    def __init__(self, status: int, body: bytes) -> None:
        self.url, self.status, self.headers, self._body = URL, status, {}, body

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self._body

    async def close(self) -> None: ...


class Site:
    """The `Http` of a site whose answers come in turn; the last one stays."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self._answers = list(answers)
        self.patience: list[float] = []

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | BodyStream | None = None,
        timeout: float = 30.0,
    ) -> Answer:
        assert (method, url) == ("GET", URL)
        self.patience.append(timeout)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Hasty(SystemClock):
    """A clock by which no sleep takes time.

    Attributes:
        slept: the seconds of each sleep.
    """

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


class Kept(dict[str, bytes]):
    """What a browser remembers; `broken`: nothing, and it says so."""

    broken = False

    async def load(self, url: str) -> bytes | None:
        if self.broken:
            raise StorageError("no storage in a private window")
        return self.get(url)

    async def keep(self, url: str, body: bytes) -> None:
        if self.broken:
            raise StorageError("no storage in a private window")
        self[url] = body


class Launch:
    """A page that starts.

    Attributes:
        told: the reports of progress.
    """

    def __init__(self, kept: Kept | None = None) -> None:
        self.kept, self.clock = Kept() if kept is None else kept, Hasty()
        self.told: list[tuple[str, int, int]] = []

    async def settings(self, site: Site) -> Settings:
        return await fetch_settings([URL], site, self.clock, self.kept, lambda *told: self.told.append(told))


UNUSABLE = [
    (b"<!doctype html><title>Notes</title>", "", "it is a page"),
    (b"\n <html>", "", "it is a page"),
    (b"", "", "it is empty"),
    (b" \n", "", "it is empty"),
    (b"\xef\xbb\xbf" + GOOD, "", "byte-order mark"),
    (GOOD.decode().encode("utf-16"), "", "byte-order mark"),
    (b"\xff{}", "", "not UTF-8"),
    (b'{"dwn_endpoints": [', "", "not JSON"),
    (b"[]", "", "no object"),
    (b"null", "", "no object"),
    (b'"dwn0"', "", "no object"),
    (b"[" * 100_000, "", "64 KiB"),
    (b"[" * 10_000, "", "nested too deeply"),
    (b'{"dwn_endpoints": "dwn0"}', "dwn_endpoints", "list"),
    (b'{"dwn_endpoints": null}', "dwn_endpoints", "list"),
    (b'{"did_dht_gateways": ["dht", 7]}', "did_dht_gateways.1", "string"),
    (b'{"dwn_endpoint": ["dwn0"]}', "dwn_endpoint", "there is no such setting, but dwn_endpoints and did_dht_gateways"),
    (b'{"dwn_endpoints": ["ftp://node.example"]}', "dwn_endpoints.0", "is not a URL"),
    (b'{"dwn_endpoints": ["dwn0", ""]}', "dwn_endpoints.1", "is not a URL"),
    (b'{"did_dht_gateways": ["https://two words"]}', "did_dht_gateways.0", "is not a URL"),
    (b'{"did_dht_gateways": ["http://[::1"]}', "did_dht_gateways.0", "is not a URL"),
]


@pytest.mark.parametrize(("body", "key", "says"), UNUSABLE)
async def test_a_file_that_cannot_be_used_says_what_is_wrong_with_it(body: bytes, key: str, says: str) -> None:
    """Invariant 4."""
    launch = Launch()
    with pytest.raises(SettingsError, match=says) as refused:
        await launch.settings(Site(Answer(200, body)))
    assert (refused.value.file, refused.value.key) == (URL, key)
    assert str(refused.value).startswith(URL)
    assert launch.kept == {}


@pytest.mark.parametrize("status", [404, 410])
async def test_a_site_without_a_file_has_the_built_in_settings(status: int) -> None:
    launch = Launch()
    found = await launch.settings(Site(Answer(status, b"<html>")))
    assert (found, launch.told) == (Settings(), [])


async def test_relative_addresses_are_the_site_s() -> None:
    assert await Launch().settings(Site(Answer(200, GOOD))) == READ
    assert await Launch().settings(Site(Answer(200, b"{}"))) == Settings()


@pytest.mark.parametrize(
    "failure",
    [
        Unreachable("no connection"),
        TimedOut("nothing came"),
        *(Answer(status, b"<html>busy") for status in (204, 302, 401, 403, 408, 429, 500, 503)),
    ],
)
async def test_a_first_launch_waits_until_the_site_answers(failure: Answer | Exception) -> None:
    """Invariants 1 and 3."""
    launch, site = Launch(), Site(*[failure] * 6, Answer(200, GOOD))
    assert await launch.settings(site) == READ
    assert launch.told == [("settings", failures, 0) for failures in range(1, 7)]
    assert launch.clock.slept == [1, 2, 4, 8, 10, 10]
    assert set(site.patience) == {30.0}


async def test_whoever_waits_can_give_up() -> None:
    """Invariant 3."""
    launch = Launch()
    waiting = asyncio.ensure_future(launch.settings(Site(Unreachable("no connection"))))
    await until(lambda: len(launch.told) > 20)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


@pytest.mark.parametrize(
    "failure", [Unreachable("no connection"), Answer(503, b""), *(Answer(200, body) for body, *_ in UNUSABLE)]
)
async def test_a_later_launch_goes_by_what_the_site_said_last(failure: Answer | Exception) -> None:
    """Invariants 2 and 4."""
    kept = Kept()
    await Launch(kept).settings(Site(Answer(200, GOOD)))
    later, site = Launch(kept), Site(failure)
    assert await later.settings(site) == READ
    assert (later.told, later.clock.slept, site.patience) == ([], [], [5.0])
    assert kept == {URL: GOOD}


async def test_what_the_site_says_now_counts() -> None:
    kept = Kept()
    await Launch(kept).settings(Site(Answer(200, GOOD)))
    assert (await Launch(kept).settings(Site(Answer(200, b"{}")))).dwn_endpoints == []
    assert (await Launch(kept).settings(Site(Unreachable("no connection")))).dwn_endpoints == []
    assert await Launch(kept).settings(Site(Answer(200, GOOD))) == READ
    assert (await Launch(kept).settings(Site(Answer(404, b"")))).dwn_endpoints == []


async def test_without_a_memory_it_is_asked_each_time() -> None:
    kept = Kept({URL: b"written by another version"})
    assert await Launch(kept).settings(Site(Unreachable("no connection"), Answer(200, GOOD))) == READ
    kept.broken = True
    assert await Launch(kept).settings(Site(Answer(200, GOOD))) == READ


OTHER = "https://site.example/config.json"


class Files:
    """The `Http` of a site that has these files; without a body it does not answer."""

    def __init__(self, files: Mapping[str, bytes | None]) -> None:
        self.files = files
        self.asked: list[str] = []

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | BodyStream | None = None,
        timeout: float = 30.0,
    ) -> Answer:
        self.asked.append(url)
        found = self.files.get(url, b"")
        if found is None:
            raise Unreachable("no connection")
        return Answer(200, found) if found else Answer(404, b"")


async def found_in(files: Mapping[str, bytes | None], kept: Kept, *, required: bool = False) -> tuple[Settings, int]:
    site = Files(files)
    found = await fetch_settings([URL, OTHER], site, Hasty(), kept, lambda *told: None, required=required)
    return found, len(site.asked)


ELSE = b'{"dwn_endpoints": ["dwn7"]}'
ELSE_READ = Settings(dwn_endpoints=["https://site.example/dwn7"])


async def test_the_first_place_that_has_a_file_counts() -> None:
    kept = Kept()
    assert await found_in({OTHER: ELSE}, kept) == (ELSE_READ, 2)
    assert await found_in({URL: GOOD, OTHER: ELSE}, kept) == (READ, 1)
    assert await found_in({URL: b"{}", OTHER: ELSE}, kept) == (Settings(), 1)
    assert await found_in({}, kept) == (Settings(), 2)


async def test_no_place_is_looked_at_while_one_before_it_does_not_answer() -> None:
    """Invariants 1 and 2."""
    kept = Kept()
    site = Files({URL: None, OTHER: ELSE})
    waiting = asyncio.ensure_future(fetch_settings([URL, OTHER], site, Hasty(), kept, lambda *told: None))
    await until(lambda: len(site.asked) > 3)
    waiting.cancel()
    assert set(site.asked) == {URL}
    assert await found_in({OTHER: ELSE}, kept) == (ELSE_READ, 2)
    assert await found_in({URL: None}, kept) == (ELSE_READ, 1)
    assert await found_in({OTHER: None}, kept) == (ELSE_READ, 2)


async def test_a_file_that_is_named_has_to_be_there() -> None:
    kept = Kept()
    with pytest.raises(SettingsError, match="there is no such file"):
        await found_in({}, kept, required=True)
    assert await found_in({URL: GOOD}, kept, required=True) == (READ, 1)
    assert await found_in({}, kept, required=True) == (READ, 2), "the last answer stands while it cannot be used"
