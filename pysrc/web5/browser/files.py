"""JavaScript Files and Blobs as record data."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import js
from pyodide.ffi import JsException, JsProxy, to_js

from web5.browser.javascript.js_errors import FILE, translated

CHUNK = 1 << 20


class FileSource:
    """The bytes of a File or Blob, read anew at each call, a chunk at a time in Python's memory. Use `source`.

    Attributes:
        media_type: as the browser guesses it; None if it does not know.
        size: bytes.
    """

    def __init__(self, js_blob: Any) -> None:
        self._js_blob = js_blob
        self.media_type: str | None = str(js_blob.type) or None
        self.size = int(js_blob.size)

    async def __call__(self) -> AsyncIterator[bytes]:
        """Read the bytes.

        Raises:
            InvalidArgument: the file was changed or removed since it was chosen.
        """
        name = str(getattr(self._js_blob, "name", "a Blob"))
        for start in range(0, self.size, CHUNK):
            try:
                js_buffer = await self._js_blob.slice(start, start + CHUNK).arrayBuffer()
            except JsException as error:
                raise translated(FILE, error, f"reading {name}") from error
            yield js_buffer.to_bytes()


def source(js_blob: Any) -> FileSource:
    """Make a JavaScript File or Blob (from a file input, say) data for `records.create` and `record.update`."""
    return FileSource(js_blob)


def from_javascript(value: Any) -> Any:
    """Return a JavaScript value as record data; what is none is returned as it is."""
    if not isinstance(value, JsProxy):
        return value
    if js.Object.prototype.toString.call(value) in ("[object Blob]", "[object File]"):
        return FileSource(value)
    if hasattr(value, "to_bytes"):  # a buffer, or a view of one
        return value.to_bytes()
    return value.to_py()


async def blob(chunks: AsyncIterator[bytes], media_type: str | None) -> Any:
    """Return a Blob of these chunks, which are never whole in Python's memory."""
    js_parts = js.Array.new()
    async for chunk in chunks:
        js_parts.push(js.Blob.new(to_js([to_js(chunk)])))
    js_options = js.Object.new()
    js_options.type = media_type or ""
    return js.Blob.new(js_parts, js_options)
