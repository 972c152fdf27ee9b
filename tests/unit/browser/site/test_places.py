"""Where the config.json of a site is looked for, from each kind of page and worker."""

from __future__ import annotations

import pytest

from web5.browser.site.places import places

HOST = "https://site.example"
WHEEL = f"{HOST}/notes/simple/web5-py/web5_py-0.1.0-py3-none-any.whl"
BESIDE = f"{HOST}/lib/web5_py-0.1.0-py3-none-any.whl"


@pytest.mark.parametrize(
    ("own", "wheel", "found"),
    [
        (f"{HOST}/notes/", None, ["/notes/config.json"]),
        (f"{HOST}/notes/", WHEEL, ["/notes/config.json"]),
        (f"{HOST}/notes/index.html?x=/y/#z", WHEEL, ["/notes/config.json"]),
        (f"{HOST}/notes/examples/index.html", WHEEL, ["/notes/examples/config.json", "/notes/config.json"]),
        (f"{HOST}/app/worker.js", BESIDE, ["/app/config.json", "/lib/config.json"]),
        (f"{HOST}/lab/static/kernel.js", "https://files.example/simple/web5-py/x.whl", ["/lab/static/config.json"]),
        (f"{HOST}/lab/static/kernel.js", "http://site.example/simple/x/x.whl", ["/lab/static/config.json"]),
        (f"blob:{HOST}/0-1-2", WHEEL, ["/notes/config.json", "/config.json"]),
        (f"blob:{HOST}/0-1-2", f"{HOST}/simple/web5-py/x.whl", ["/config.json"]),
        (f"blob:{HOST}/0-1-2", None, ["/config.json"]),
        ("about:srcdoc", WHEEL, ["/notes/config.json", "/config.json"]),
    ],
)
def test_a_site_is_found_from_its_pages_workers_and_blobs(own: str, wheel: str | None, found: list[str]) -> None:
    assert places(own, HOST, wheel, "config.json") == [HOST + path for path in found]


def test_who_has_no_origin_has_no_site() -> None:
    assert places("data:text/html,x", "null", WHEEL, "config.json") == []
