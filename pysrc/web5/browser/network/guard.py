"""Requests to URLs that strangers choose, as far as a page can guard them.

A page does not learn to which address a name leads, nor where a redirect goes before it went there. That a site on the
web reaches nothing on the person's own machine and network is the browser's part: it asks servers there first (CORS,
Private Network Access), and blocks what is not https (mixed content).
"""

from __future__ import annotations

from collections.abc import Mapping

import js
from pyodide.ffi import JsException

from web5.browser.network.http import FetchHttp, FetchResponse
from web5.errors import Unreachable
from web5.ports.http import BodyStream, fault_of_strangers_url


class GuardedFetchHttp(FetchHttp):
    """A guarded `Http` port over fetch."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | BodyStream | None = None,
        timeout: float = 30.0,
    ) -> FetchResponse:
        _check(url)
        response = await super().request(method, url, headers=headers, body=body, timeout=timeout)
        try:
            _check(response.final_url)
        except Unreachable:
            await response.close()
            raise
        return response


def _check(url: str) -> None:
    try:
        js_url = js.URL.new(url)
    except JsException as error:
        raise Unreachable(f"{url[:200]} is no URL") from error
    port = int(js_url.port) if js_url.port else None
    if fault := fault_of_strangers_url(str(js_url.protocol)[:-1], f"{js_url.username}{js_url.password}", port):
        raise Unreachable(f"{url[:200]} is not requested, because {fault}")
