"""The built site in Chromium, from a plain static server, below a sub-path: it starts, and asks no other host."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright

from tests.chromium import TEST_FLAGS

SUB_PATH = "some/where"
PAGE = """<!doctype html>
<link rel="icon" href="data:,">
<script>
  window.events = [];
  new BroadcastChannel("web5-events").onmessage = ({{ data }}) => events.push(JSON.parse(data));
  new BroadcastChannel("web5-test").onmessage = ({{ data }}) => (window.answer = data);
</script>
<script type="module" src="./{pyscript}/core.js"></script>
<script type="py" worker src="./test.py" config='{config}'></script>
"""
WORKER = """
import importlib, json
import js

names = ["pydantic", "cbor2", "apsw", "web5.errors", "web5.ports.clock", "web5.sync.states"]
texts = []
try:
    import dataclasses, generated_code

    make = dataclasses.exec
    dataclasses.exec = lambda text, *where: (texts.append(text), make(text, *where))[1]
    modules = [importlib.import_module(name) for name in names]
    import apsw, cbor2, pydantic
    from web5.errors import DwnError

    class Model(pydantic.BaseModel):
        number: int

    answer = {
        "files": [module.__file__ for module in modules],
        "pydantic": Model.model_validate_json('{"number": 3}').number,
        "cbor2": cbor2.loads(cbor2.dumps({"a": [1, 2.5]})),
        "apsw": apsw.Connection(":memory:").execute("SELECT 6 * 7").fetchone(),
        "web5": DwnError.from_status(404, "Gone: no").status,
        "generated": len(texts),
        "not in the site": [one for one in texts if generated_code._key("exec", one) not in generated_code._found()],
    }
except BaseException as error:
    answer = {"error": repr(error)}
js.BroadcastChannel.new("web5-test").postMessage(json.dumps(answer))
"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def root(tmp_path: Path, site: Path) -> Iterator[tuple[Path, str]]:
    """A folder with the site below it, and the address it is served at."""
    place = tmp_path / SUB_PATH
    place.parent.mkdir(parents=True)
    place.mkdir()
    for path in site.iterdir():
        (place / path.name).symlink_to(path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield place, f"http://127.0.0.1:{server.server_port}/{SUB_PATH}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
async def page(chromium: str) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=TEST_FLAGS)
        yield await browser.new_page()
        await browser.close()


async def _run(page: Page, place: Path, address: str, config: dict[str, object]) -> tuple[dict[str, Any], list[str]]:
    """The worker's answer, and the addresses that were asked for."""
    _write_page(place, config)
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url))
    await page.goto(f"{address}test.html")
    answer = await page.wait_for_function("window.answer", timeout=60_000)
    return json.loads(await answer.json_value()), asked


def _write_page(place: Path, config: dict[str, object]) -> None:
    (pyscript,) = place.glob("pyscript-*")
    (place / "test.html").write_text(PAGE.format(pyscript=pyscript.name, config=json.dumps(config)))
    (place / "test.py").write_text(WORKER)


def _check(answer: dict[str, Any]) -> None:
    assert answer.get("error") is None
    assert answer["pydantic"] == 3
    assert answer["cbor2"] == {"a": [1, 2.5]}
    assert answer["apsw"] == [42]
    assert answer["web5"] == 404
    assert answer["generated"] > 20 and answer["not in the site"] == []


async def test_our_interpreter_starts_with_everything_in(page: Page, root: tuple[Path, str]) -> None:
    place, address = root
    config: dict[str, object] = {
        "interpreter": "./boot/interpreter.mjs",
        "sync_main_only": True,
        "packages_cache": "passthrough",
    }
    answer, asked = await _run(page, place, address, config)
    _check(answer)
    assert all(file.endswith((".pyc", ".so")) for file in answer["files"])
    assert len(asked) > 10
    assert [url for url in asked if not url.startswith((address, "blob:", "data:"))] == []


async def test_its_progress_is_told_in_bytes_and_only_grows(page: Page, root: tuple[Path, str]) -> None:
    place, address = root
    await _run(page, place, address, {"interpreter": "./boot/interpreter.mjs", "packages_cache": "passthrough"})
    events = await page.evaluate("events")
    loading = [event for event in events if event["step"] == "runtime"]
    assert [event["type"] for event in events] == ["boot"] * len(events)
    assert {event["total"] for event in loading} == {sum(path.stat().st_size for path in _loaded(place))}
    done = [event["done"] for event in loading]
    assert len(done) > 5
    assert done == sorted(done)
    assert done[0] == 0
    assert done[-1] == loading[-1]["total"]
    assert [event["done"] for event in events if event["step"] == "packages"] == [1, 2]


def _loaded(place: Path) -> list[Path]:
    of_page = {path for name in ("ui.*", "micropython.*", "texts-*") for path in (place / "boot").glob(name)}
    return [*({*(place / "boot").glob("*.gz")} - of_page), *place.glob("pyodide-*/*.gz")]


async def test_pyscript_installs_it_by_name_from_the_site_s_index(page: Page, root: tuple[Path, str]) -> None:
    place, address = root
    (pyodide,) = place.glob("pyodide-*")
    config: dict[str, object] = {
        "interpreter": f"./{pyodide.name}/pyodide.mjs",
        "packages_cache": "never",
        "sync_main_only": True,
        "packages": ["web5-py"],
        "index_urls": [f"{address}simple"],  # a worker's address is a blob's
    }
    answer, asked = await _run(page, place, address, config)
    _check(answer)
    assert [url for url in asked if not url.startswith((address, "blob:", "data:"))] == []


INSTALLED = """
import micropip

await micropip.install("web5-py", index_urls=INDEX)
from web5 import Web5

web5, did = await Web5.connect(name="installed", sync="off", dwn_endpoints=[], did_dht_gateways=["http://127.0.0.1:9/"])
record = await web5.dwn.records.create("Hello")
text = await (await web5.dwn.records.read(record.id)).data.text()
await web5.close()
from web5.browser.site import site
text + " of " + " ".join(site.config_urls())
"""
PLAIN_PAGE = """<!doctype html>
<link rel="icon" href="data:,">
<script type="module">
  {code}
  window.answer = await run("{address}simple");
</script>
"""
RUN = """import {{ loadPyodide }} from "{address}{pyodide}/pyodide.mjs";
  async function run(index) {{
    const python = await loadPyodide();
    await python.loadPackage("micropip");
    python.globals.set("INDEX", index);
    return await python.runPythonAsync({python});
  }}
"""
IN_WORKER = """
  const worker = new Worker("./plain.mjs", {{ type: "module" }});
  const run = (index) =>
    new Promise((resolve) => {{ worker.onmessage = ({{ data }}) => resolve(data); worker.postMessage(index); }});
"""


OF_A_BLOB = """
  const start = `import {{ answer }} from "${{new URL("./plain.mjs", location.href)}}"; self.onmessage = answer;`;
  const address = URL.createObjectURL(new Blob([start], {{ type: "text/javascript" }}));
  const worker = new Worker(address, {{ type: "module" }});
"""


@pytest.mark.parametrize("where", ["page", "worker", "blob"])
async def test_micropip_installs_it_in_plain_pyodide(page: Page, root: tuple[Path, str], where: str) -> None:
    """Wherever that is, the site's config.json is looked for where the site is."""
    place, address = root
    (pyodide,) = place.glob("pyodide-*")
    code = RUN.format(address=address, pyodide=pyodide.name, python=json.dumps(INSTALLED))
    if where != "page":
        (place / "plain.mjs").write_text(
            f"{code}\nexport const answer = async ({{ data }}) => self.postMessage(await run(data).catch(String));\n"
            "self.onmessage = answer;\n"
        )
        code = IN_WORKER.format()
    if where == "blob":
        code = OF_A_BLOB.format() + code.split("\n", 2)[2]
    (place / "plain.html").write_text(PLAIN_PAGE.format(code=code, address=address))
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url))
    await page.goto(f"{address}plain.html")
    answer = await page.wait_for_function("window.answer", timeout=120_000)
    told = (await answer.json_value()).split()
    assert told[:3] == ["Hello", "of", f"{address}config.json"]
    gateway = "http://127.0.0.1:9/"
    assert [url for url in asked if not url.startswith((address, gateway, "blob:", "data:"))] == []
