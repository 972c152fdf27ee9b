"""JavaScript's files, Blobs, file handles and streams as sources and sinks of archives."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import js
from pyodide.ffi import JsException, JsProxy, to_js

from web5.browser.javascript.js_errors import FILE, STORAGE, translated
from web5.errors import InvalidArgument

MEDIA_TYPE = "application/zip"
GATHERED = 1 << 20
"""Bytes that go into one part of a Blob, or one write."""


class BlobSource:
    """The bytes of a File or Blob, read slice by slice."""

    def __init__(self, js_blob: Any) -> None:
        self._js_blob = js_blob
        self.size = int(js_blob.size)

    async def read(self, start: int, length: int) -> bytes:
        try:
            js_buffer = await self._js_blob.slice(start, start + length).arrayBuffer()
        except JsException as error:
            raise translated(FILE, error, "reading the archive") from error
        found: bytes = js_buffer.to_bytes()
        return found

    async def close(self) -> None:
        self._js_blob = None


class _Gathering:
    """Writes that are gathered, so that JavaScript gets few and large ones."""

    def __init__(self) -> None:
        self._gathered = bytearray()

    async def write(self, data: bytes) -> None:
        self._gathered += data
        if len(self._gathered) >= GATHERED:
            await self._put()

    async def _put(self) -> None:
        js_bytes, self._gathered = to_js(self._gathered), bytearray()
        await self._put_on(js_bytes)

    async def _put_on(self, js_bytes: Any) -> None:
        raise NotImplementedError


class StreamSink(_Gathering):
    """A WritableStream, such as that of a file handle."""

    def __init__(self, js_stream: Any) -> None:
        super().__init__()
        try:
            self._js_writer = js_stream.getWriter()
        except JsException as error:
            raise translated(FILE, error, "writing to the stream") from error

    async def _put_on(self, js_bytes: Any) -> None:
        try:
            await self._js_writer.write(js_bytes)
        except JsException as error:
            raise translated(STORAGE, error, "writing the archive") from error

    async def close(self) -> None:
        await self._put()
        try:
            await self._js_writer.close()
        except JsException as error:
            raise translated(STORAGE, error, "writing the archive") from error

    async def abort(self) -> None:
        with suppress(JsException):  # it has failed, or is closed
            await self._js_writer.abort()


class BlobSink(_Gathering):
    """A new Blob, in the browser's memory instead of Python's, or on its disk."""

    def __init__(self) -> None:
        super().__init__()
        self._js_parts = js.Array.new()

    async def _put_on(self, js_bytes: Any) -> None:
        self._js_parts.push(js.Blob.new(to_js([js_bytes])))

    async def close(self) -> Any:
        await self._put()
        js_options = js.Object.new()
        js_options.type = MEDIA_TYPE
        return js.Blob.new(self._js_parts, js_options)

    async def abort(self) -> None:
        self._js_parts = js.Array.new()


async def js_source(value: Any) -> BlobSource | None:
    """Return the source for a File, a Blob or a file handle; None for what is none of JavaScript's.

    Raises:
        InvalidArgument: it is something else of JavaScript's, or the file is gone.
    """
    if not isinstance(value, JsProxy):
        return None
    kind = js.Object.prototype.toString.call(value)
    if kind == "[object FileSystemFileHandle]":
        try:
            return BlobSource(await value.getFile())
        except JsException as error:
            raise translated(FILE, error, "opening the file") from error
    if kind in ("[object Blob]", "[object File]"):
        return BlobSource(value)
    raise InvalidArgument(f"An archive is read from a File, a Blob or a FileSystemFileHandle, not from {kind}.")


async def js_sink(value: Any) -> StreamSink | BlobSink | None:
    """Return the sink for a file handle or a WritableStream, or for a new Blob (None); None for what is neither.

    Raises:
        InvalidArgument: it is something else of JavaScript's, or nothing can be written there.
    """
    if value is None:
        return BlobSink()
    if not isinstance(value, JsProxy):
        return None
    if hasattr(value, "createWritable"):
        try:
            return StreamSink(await value.createWritable())
        except JsException as error:
            raise translated(FILE, error, "opening the file") from error
    if hasattr(value, "getWriter"):
        return StreamSink(value)
    kind = js.Object.prototype.toString.call(value)
    raise InvalidArgument(f"An archive is written to a FileSystemFileHandle or a WritableStream, not to {kind}.")
