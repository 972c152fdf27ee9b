"""The files of a site, and the host: nothing hidden is served, nothing odd fails, nobody's header comes back."""

from contextlib import AsyncExitStack
from itertools import product
from pathlib import Path

import httpx
import pytest

from tests.security.test_node_connections import connect, ends
from tests.served import served
from web5.node.serve import embedded

HIDDEN = (".secret", ".git/config", "a/.env", "a/.b/c", ".well-known/.hidden", "a/.well-known/x")
NOT_THERE = [
    *("/" + name for name in HIDDEN),
    *("/%2esecret", "/%2Egit/config", "/a/../.secret", "/a/%2e%2e/.secret", "/.%00", "/a/c.txt/", "/index.html/"),
    *("/leak", "/leaks/outside.txt", "/to-hidden", "/loop", "/loop/x", "/../outside.txt", "/..%2foutside.txt"),
    *("/..%5coutside.txt", "/%00", "/index.html%00", "/index.html%00.png", "/%ff", "/%", "/%0d%0aSet-Cookie:a"),
    *("//evil.example/a/b", "//index.html", "/a//c.txt", "/a/c.txt/..%2f..%2f..%2foutside.txt", "/~root"),
    *("/" + "a" * 5000, "/" + "a/" * 5000, "/a/c.txt%20", "/a\\c.txt", "/C:/x", "/dwn0x", "/leak?a=/index.html"),
    *("http://evil.example/leak", "*", "?", "index.html"),
]


@pytest.fixture
async def url(tmp_path: Path):
    site = tmp_path / "site"
    for name in ("index.html", "a/b/index.html", "a/c.txt", ".well-known/did.json", *HIDDEN):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(f"content of {name}")
    (tmp_path / "outside.txt").write_text("content outside")
    for name, target in (
        ("leak", tmp_path / "outside.txt"),
        ("leaks", tmp_path),
        ("to-hidden", site / ".secret"),
        ("loop", site / "loop"),
        ("inside", site / "a" / "c.txt"),
    ):
        (site / name).symlink_to(target)
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(embedded(tmp_path / "data", site))
        yield await stack.enter_async_context(served(app))


async def ask(url: str, path: str, *, host="evil.example", method="GET", more="") -> tuple[int, str, bytes]:
    """Status, head and body of an answer to a path that no client has tidied up."""
    reader, writer = await connect(url)
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{more}Connection: close\r\n\r\n".encode("latin-1"))
    answer = await ends(reader)
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), head.decode(), body


async def test_what_is_not_to_be_seen_is_not_found(url):
    for path, method in product(NOT_THERE, ("GET", "HEAD")):
        status, head, body = await ask(url, path, method=method)
        assert status == (404 if path.startswith("/") else 400), path
        assert b"content of" not in body
        assert b"content outside" not in body
        assert "set-cookie" not in head.lower()


@pytest.mark.parametrize("path", ["/", "/a/c.txt", "/inside", "/.well-known/did.json", "/a/b/", "/a/../index.html"])
async def test_what_is_to_be_seen_is(url, path):
    status, _, body = await ask(url, path)
    assert status == 200
    assert body.startswith(b"content of ")


async def test_a_folder_without_its_slash_leads_to_the_one_with_it_wherever_the_site_lies(url):
    status, head, _ = await ask(url, "/a/b?x=//evil.example")
    assert status == 307
    assert "location: b/\r\n" in f"{head}\r\n"
    assert "evil" not in head


@pytest.mark.parametrize(
    ("ranges", "status", "size"),
    [
        ("bytes=0-0", 206, 1),
        ("bytes=0-0,2-2", 200, 21),
        ("bytes=" + ",".join(f"{n}-{n}" for n in range(5000)), 200, 21),
        ("bytes=" + "9" * 5000 + "-", 400, None),
        ("bytes=-" + "9" * 5000, 400, None),
        ("bytes=5-2", 400, None),
        ("bytes=100-", 416, None),
        ("bytes=\xb2-", 400, None),
        ("bytes", 400, None),
        ("lines=1-2", 400, None),
    ],
)
async def test_ranges_are_bounded(url, ranges, status, size):
    found, _, body = await ask(url, "/index.html", more=f"Range: {ranges}\r\n")
    assert found == status
    assert size is None or len(body) == size


async def test_the_host_that_a_client_names_never_comes_back(url):
    more = "Content-Length: 0\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: evil.example\r\n"
    paths = ("/", "/a/b", "/dwn0", "/dwn0/", "/dwn0/info", "/dwn0/info/", "/dht", "/dht/x/", "/x")
    for path, method in product(paths, ("GET", "POST", "PUT", "OPTIONS", "TRACE")):
        status, head, body = await ask(url, path, method=method, more=more)
        assert status < 500
        assert "evil" not in head + body.decode()


async def test_a_host_that_is_none_is_refused(url):
    for host in ('x/"><script>', "a b", "x@y", "x:y", "x:123456", "[::1", "a\x7f"):
        assert (await ask(url, "/", host=host))[0] == 400


async def test_info_has_the_public_url(tmp_path: Path, url):
    async with httpx.AsyncClient() as client:
        info = (await client.get(f"{url}/dwn1/info", headers={"host": "evil.example"})).json()
        assert info["url"] == f"{url}/dwn1"
        async with (
            embedded(tmp_path / "more", None, public_url="https://dwn.example.org/base/") as app,
            served(app) as own,
        ):
            info = (await client.get(f"{own}/dwn0/info")).json()
            assert info["url"] == "https://dwn.example.org/base/dwn0"
