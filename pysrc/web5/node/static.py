"""The site's files, with the headers by which a browser caches them."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePath

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

HASHED = re.compile(r"[.-][0-9a-f]{16,64}(?=[./]|$)")
"""A content hash in the name of a file or of a folder above it, as the build writes it."""

FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".py": "text/x-python; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
    ".toml": "application/toml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".whl": "application/zip",
    ".woff2": "font/woff2",
    ".zip": "application/zip",
}
"""Not the system's table: what a browser accepts as a module or as WebAssembly must not depend on the machine."""


class _File(FileResponse):
    chunk_size = 1024 * 1024


def create_site(folder: Path | str) -> Starlette:
    """Serve a folder of files as an ASGI app, with `index.html` for its folders.

    Names with a content hash may be cached for ever; whether another has changed is asked each time, by ETag.
    """
    return Starlette(routes=[Mount("/", _Files(directory=folder, html=True))])


class _Files(StaticFiles):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (super().__call__ if scope["type"] == "http" else WebSocketClose())(scope, receive, send)

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        suffix = PurePath(full_path).suffix.lower()
        headers = {"cache-control": FOR_EVER if HASHED.search(scope["path"]) else ASK_AGAIN}
        media_type = MEDIA_TYPES.get(suffix, "application/octet-stream")
        response = _File(full_path, status_code, headers, media_type, stat_result=stat_result)
        if self.is_not_modified(response.headers, Headers(scope=scope)):
            return NotModifiedResponse(response.headers)
        return response
