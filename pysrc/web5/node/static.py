"""The site's files, with the headers by which a browser caches and confines them."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePath
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, RedirectResponse, Response
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


LONGEST_PATH = 1000
WELL_KNOWN = ".well-known"
"""The one folder with a dot that is meant to be seen (RFC 8615)."""

HEADER = re.compile(r"^[ \t]+([A-Za-z-]+):[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)
"""A header of a `_headers` file; one that begins with a path says for which files."""


class _File(FileResponse):
    chunk_size = 1024 * 1024
    max_ranges = 1  # who asks for more pieces gets the whole


def create_site(folder: Path | str) -> Starlette:
    """Serve a folder of files as an ASGI app, with `index.html` for its folders.

    Names with a content hash may be cached for ever; whether another has changed is asked each time, by ETag. Names
    that begin with a dot are not served, but for `/.well-known`, and nothing that lies elsewhere and is linked to. All
    have the headers that the site names for `/*` in its file `_headers`.
    """
    app = Starlette(routes=[Mount("/", _Files(Path(folder)))])
    app.router.redirect_slashes = False
    return app


class _Files(StaticFiles):
    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, html=True)
        named = folder / "_headers"
        section = named.read_text().partition("\n/*\n")[2].split("\n/")[0] if named.exists() else ""
        self._headers = {name.lower(): value for name, value in HEADER.findall(section)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (super().__call__ if scope["type"] == "http" else WebSocketClose())(scope, receive, send)

    async def get_response(self, path: str, scope: Scope) -> Response:
        asked: str = scope["path"]
        is_path = asked.startswith("/") and asked.isprintable()
        if not is_path or len(asked) > LONGEST_PATH or "//" in asked or "\\" in asked:
            raise HTTPException(404)
        response = await super().get_response(path, scope)
        if isinstance(response, RedirectResponse):
            response.headers["location"] = f"{quote(PurePath(asked).name)}/"  # relative: nothing of the host is in it
        elif isinstance(response, _File) and asked.endswith("/") and PurePath(response.path) == self._root / path:
            raise HTTPException(404)  # a file is no folder
        return response

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        try:
            full_path, found = super().lookup_path(path)
        except (OSError, ValueError):
            return "", None
        # A link may lead to what is hidden.
        names = [PurePath(path), PurePath(full_path).relative_to(self._root)] if found else []
        return ("", None) if any(map(_is_hidden, names)) else (full_path, found)

    @property
    def _root(self) -> PurePath:
        return PurePath(os.path.realpath(str(self.directory)))

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        suffix = PurePath(full_path).suffix.lower()
        headers = self._headers | {"cache-control": FOR_EVER if HASHED.search(scope["path"]) else ASK_AGAIN}
        media_type = MEDIA_TYPES.get(suffix, "application/octet-stream")
        response = _File(full_path, status_code, headers, media_type, stat_result=stat_result)
        if self.is_not_modified(response.headers, Headers(scope=scope)):
            return NotModifiedResponse(response.headers)
        return response


def _is_hidden(path: PurePath) -> bool:
    return any(name.startswith(".") for name in path.parts[path.parts[:1] == (WELL_KNOWN,) :])
