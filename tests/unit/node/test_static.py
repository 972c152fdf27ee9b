from pathlib import Path

import httpx
import pytest

from tests.asgi_sockets import AsgiWebSockets
from web5.errors import NoWebSocket
from web5.node.static import ASK_AGAIN, FOR_EVER, create_site

HASH = "02bf5521b672ebfa"


@pytest.fixture
async def site(tmp_path: Path):
    files = {
        "index.html": b"<p>front",
        "config.json": b"{}",
        "app/app.mjs": b"export {}",
        "app/agent.py": b"print()",
        "app/page.toml": b"",
        "simple/web5-py/web5_py-0.1.0-py3-none-any.whl": b"PK",
        "examples/index.html": b"<p>examples",
        f"boot/stdlib.{HASH}.zip": bytes(range(256)) * 20_000,
        f"pyodide-{HASH}/pyodide.asm.wasm": b"\0asm",
        f"deadbeef{HASH}.txt": b"no hash: it is the name itself",
        "noway.secret": b"x",
    }
    for name, content in files.items():
        path = tmp_path / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "outside.txt").write_text("outside")
    transport = httpx.ASGITransport(create_site(tmp_path / "site"))
    async with httpx.AsyncClient(transport=transport, base_url="http://site") as client:
        client.folder = tmp_path / "site"
        yield client


@pytest.mark.parametrize(
    ("path", "media_type", "caching"),
    [
        ("/", "text/html; charset=utf-8", ASK_AGAIN),
        ("/examples/", "text/html; charset=utf-8", ASK_AGAIN),
        ("/config.json", "application/json", ASK_AGAIN),
        ("/app/app.mjs", "text/javascript; charset=utf-8", ASK_AGAIN),
        ("/app/agent.py", "text/x-python; charset=utf-8", ASK_AGAIN),
        ("/app/page.toml", "application/toml", ASK_AGAIN),
        ("/simple/web5-py/web5_py-0.1.0-py3-none-any.whl", "application/zip", ASK_AGAIN),
        (f"/boot/stdlib.{HASH}.zip", "application/zip", FOR_EVER),
        (f"/pyodide-{HASH}/pyodide.asm.wasm", "application/wasm", FOR_EVER),
        (f"/deadbeef{HASH}.txt", "text/plain; charset=utf-8", ASK_AGAIN),
        ("/noway.secret", "application/octet-stream", ASK_AGAIN),
    ],
)
async def test_type_and_caching(site, path, media_type, caching):
    answer = await site.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    assert answer.headers["cache-control"] == caching


async def test_large_file_is_whole(site):
    assert (await site.get(f"/boot/stdlib.{HASH}.zip")).content == bytes(range(256)) * 20_000


async def test_unchanged_file_is_not_sent_again(site):
    first = await site.get("/app/app.mjs")
    again = await site.get("/app/app.mjs", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == ASK_AGAIN
    (site.folder / "app" / "app.mjs").write_bytes(b"export const changed = 1")
    changed = await site.get("/app/app.mjs", headers={"if-none-match": first.headers["etag"]})
    assert (changed.status_code, changed.content) == (200, b"export const changed = 1")


@pytest.mark.parametrize("path", ["/nothing", "/../outside.txt", "/%2e%2e/outside.txt", "/app/..%2f..%2foutside.txt"])
async def test_what_is_not_in_the_folder(site, path):
    assert (await site.get(path)).status_code == 404


async def test_nobody_writes(site):
    assert (await site.post("/config.json", content=b"{}")).status_code == 405


async def test_there_is_no_websocket(site):
    with pytest.raises(NoWebSocket):
        await AsgiWebSockets(create_site(site.folder)).connect("ws://site/")


async def test_the_headers_that_the_site_names_are_on_every_file(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>front")
    (tmp_path / "_headers").write_text(
        "# for all\n/*\n  Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\n"
        "  X-Content-Type-Options:  nosniff \n/boot/*\n  X-Other: no\n"
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(create_site(tmp_path)), base_url="http://site"
    ) as client:
        for path in ("/", "/_headers"):
            headers = (await client.get(path)).headers
            assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
            assert headers["x-content-type-options"] == "nosniff"
            assert "x-other" not in headers
