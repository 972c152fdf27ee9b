"""Large data as objects in S3-compatible storage.

Invariants:
1. An object can be seen only once all of it is there: small ones are put whole, others by a multipart upload that is
   completed last. What a failure leaves of one can be seen by nobody; a rule of the bucket's ends it.
2. A place is one DWN's: it has the identity of the database whose messages name its objects, and is refused to others,
   which would take these for left behind.
3. Every request ends, within `REQUEST_SECONDS` and `RETRIES` more of them; what then fails is a StorageError, and the
   message that the data came with is not stored.
4. No process deletes what another is putting: where several share the database, what nothing names is swept once it is
   `KEPT` old.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError
from obstore.store import S3Store

from web5 import strict_json
from web5.chunks import reading
from web5.errors import BlobMissing, StorageError, StorageFull
from web5.node.s3.address import S3Address

PART = 5 << 20
"""Bytes of a part of a multipart upload, and of the largest object that is put at once: S3's least. It takes 10,000."""

READ = 1 << 20
"""Bytes of a request of a read, so that no slow client keeps one waiting."""

AT_ONCE = 2
"""Parts of one upload that are on their way at a time."""

REQUEST_SECONDS = 60
CONNECT_SECONDS = 5
RETRIES = 3
RETRY_SECONDS = 30

KEPT = timedelta(days=1)
"""Age from which on an object that nothing names is taken for left behind."""

_SUFFIX = ".blob"
_OWNER = "owner.json"
_MOST_OWNER = 1024
_FULL = ("QuotaExceeded", "InsufficientStorage", "507", "XMinioStorageFull")


class S3Blobs:
    """The `Blobs` port on a place in a bucket. The keys are in the environment, as S3's own programs have them.

    Raises:
        StorageError: it cannot be spoken to so.
    """

    def __init__(self, address: S3Address) -> None:
        self._address = address
        self._closed = False
        with self._in_our_terms():
            self._store = S3Store(
                address.bucket,
                prefix=address.prefix or None,
                endpoint=address.endpoint,
                region=address.region,
                virtual_hosted_style_request=address.endpoint is None,
                client_options={
                    "timeout": timedelta(seconds=REQUEST_SECONDS),
                    "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
                    "allow_http": (address.endpoint or "").startswith("http://"),
                },
                retry_config={"max_retries": RETRIES, "retry_timeout": timedelta(seconds=RETRY_SECONDS)},
            )

    async def claim(self, identity: str, *, holds_nothing: bool) -> None:
        """Take the place for a database, or find that it is that one's already.

        Parameters:
            holds_nothing: True if the database names no large data, which would have to be here.

        Raises:
            StorageError: it is another one's, or what the database names is elsewhere.
        """
        held = await self.owner()
        if held is None:
            if not holds_nothing:
                raise StorageError(
                    f"{self._address} is new, and the node has large data elsewhere: bring them there with"
                    " web5-node move --target-blobs"
                )
            content = json.dumps({"identity": identity}).encode()
            try:
                with self._in_our_terms():
                    await obstore.put_async(self._store, _OWNER, content, mode="create")
            except StorageError as error:
                if not isinstance(error.__cause__, AlreadyExistsError):
                    raise
            held = await self.owner()
        if held != identity:
            raise StorageError(f"{self._address} has the large data of another node: name another place in the bucket")

    @property
    def shown(self) -> str:
        """The place, in words for people."""
        return str(self._address)

    async def owner(self) -> str | None:
        """Return the identity of the database that has claimed the place; None: nobody has."""
        try:
            content = await self._range(_OWNER, 0, _MOST_OWNER)
        except BlobMissing:
            return None
        try:
            return str(strict_json.parse(content.decode())["identity"])
        except (ValueError, KeyError, TypeError) as error:
            raise StorageError(f"{self._address}/{_OWNER} is not what a node has written") from error

    async def put(self, key: str, chunks: AsyncIterable[bytes]) -> int:
        self._check_open()
        size, failures = 0, list[BaseException]()

        async def counted() -> AsyncGenerator[bytes, None]:
            nonlocal size
            try:
                async with reading(chunks) as incoming:
                    async for chunk in incoming:
                        size += len(chunk)
                        yield bytes(chunk)
            except BaseException as error:
                failures.append(error)
                raise

        incoming = counted()
        try:
            first = bytearray()
            async for chunk in incoming:
                first += chunk
                if len(first) >= PART:
                    break
            else:
                with self._in_our_terms():
                    await obstore.put_async(self._store, _name(key), bytes(first), use_multipart=False)
                return size

            async def whole() -> AsyncIterator[bytes]:
                yield bytes(first)
                first.clear()
                async for chunk in incoming:
                    yield chunk

            with self._in_our_terms():
                await obstore.put_async(
                    self._store, _name(key), whole(), use_multipart=True, chunk_size=PART, max_concurrency=AT_ONCE
                )
        except StorageError:
            if failures:
                raise failures[0] from None
            raise
        finally:
            await incoming.aclose()
        return size

    async def get(self, key: str, start: int = 0) -> AsyncIterator[bytes]:
        self._check_open()
        with self._in_our_terms(key):
            size = (await obstore.head_async(self._store, _name(key)))["size"]
        while start < size:
            piece = await self._range(_name(key), start, min(READ, size - start))
            if not piece:
                raise StorageError(f"{self._address} gave less of {key!r} than it has")
            yield piece
            start += len(piece)

    async def _range(self, name: str, start: int, length: int) -> bytes:
        self._check_open()
        with self._in_our_terms(name):
            return bytes(await obstore.get_range_async(self._store, name, start=start, length=length))

    async def delete(self, keys: Iterable[str]) -> None:
        self._check_open()
        if names := [_name(key) for key in keys]:
            with self._in_our_terms():
                await obstore.delete_async(self._store, names)

    async def keys(self) -> set[str]:
        return {key async for key, _ in self._listed()}

    async def sweep(self, named: Callable[[list[str]], set[str]]) -> None:
        """Delete what processes that ended have left behind.

        Parameters:
            named: returns those of some keys that a message names.
        """
        before = datetime.now(UTC) - KEPT
        old = [key async for key, changed in self._listed() if changed < before]
        if old:
            known = await asyncio.to_thread(named, old)
            await self.delete(key for key in old if key not in known)

    async def close(self) -> None:
        self._closed = True

    async def _listed(self) -> AsyncIterator[tuple[str, datetime]]:
        self._check_open()
        with self._in_our_terms():
            async for batch in obstore.list(self._store):
                for one in batch:
                    if (key := _key(one["path"])) is not None:
                        yield key, one["last_modified"]

    def _check_open(self) -> None:
        if self._closed:
            raise StorageError("the blob store is closed")

    @contextmanager
    def _in_our_terms(self, key: str | None = None) -> Iterator[None]:
        try:
            yield
        except (NotFoundError, FileNotFoundError) as error:
            if key is not None:
                raise BlobMissing(f"there is no blob {key!r}") from error
            raise StorageError(f"{self._address} is not there: {_words(error)}") from error
        except (BaseError, TimeoutError, OSError, ValueError) as error:
            kind = StorageFull if any(word in str(error) for word in _FULL) else StorageError
            raise kind(f"{self._address} cannot be used: {_words(error)}") from error


def _name(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=") + _SUFFIX


def _key(path: Any) -> str | None:
    """Return the key of an object; None if it is none of ours."""
    name = str(path).rpartition("/")[2]
    if not name.endswith(_SUFFIX):
        return None
    text = name.removesuffix(_SUFFIX)
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _words(error: BaseException) -> str:
    """Return the first line of an error: the rest is its history."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
