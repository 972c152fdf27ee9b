"""`Web5.anonymous`: what anybody may read, for somebody who has no DID."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Unpack

from web5.agent.requests.reader import Reader
from web5.api import arguments
from web5.api.arguments import keywords
from web5.api.records import addresses
from web5.api.records.data import RecordData
from web5.api.records.filters import EVERYTHING, RecordFilter, records_filter
from web5.api.records.ordering import Sorting
from web5.api.records.ordering import date_sort as wire_sort
from web5.api.records.query import Cursor, Page, Query
from web5.api.records.record_view import RecordView
from web5.dwn import compose
from web5.dwn.data import DataStream
from web5.dwn.reading.drl import Drl
from web5.dwn.signatures.signing import without_none
from web5.dwn.values.cid import bare_message
from web5.dwn.values.types import Message
from web5.errors import BlobMissing
from web5.platform import Config, open_reader, settings_of


class PublishedRecord(RecordView):
    """A record that its owner has published, as it was when it was asked for; it cannot be changed from here.

    Attributes:
        owner: the DID in whose DWN it was found.
    """

    def __init__(self, reader: Reader, owner: str, entry: Message) -> None:
        self.owner = owner
        self._reader = reader
        self._initial_write: Message | None = entry.get("initialWrite")
        self._message = bare_message(entry)

    @property
    def drl(self) -> str:
        """Its DRL, the address that `read_drl` reads."""
        return str(Drl(self.owner, self.id))

    @property
    def data(self) -> RecordData:
        """The record's data, as of a `Record`; they are fetched when they are asked for."""
        return RecordData(partial(_data, self._reader, self.owner, self.id), self.data_format, self.data_size)


class PublishedRecords:
    """The published records in others' DWNs. `from_` is always the DID whose DWN is asked.

    Each method raises DwnError if the DWN refuses, TargetUnresolved if the DID cannot be resolved, RemoteError if none
    of its DWNs can be reached, and InvalidArgument if an argument or filter cannot be used.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    @keywords
    async def read(self, record_id: str, *, from_: str) -> PublishedRecord:
        """Return one record.

        Raises:
            NotFound: there is none with this ID.
            Unauthorized: there is one, and it is not published.
        """
        filter = {"recordId": arguments.text("record_id", record_id)}
        did = arguments.did("from_", from_)
        reply = await self._reader.ask(did, await compose.records_read(None, self._reader.clock, filter=filter))
        entry = reply["entry"]
        if isinstance(stream := entry.get("data"), DataStream):
            await stream.close()
        return PublishedRecord(self._reader, did, {**entry["recordsWrite"], "initialWrite": entry.get("initialWrite")})

    async def read_drl(self, drl: str | Drl) -> PublishedRecord:
        """Return the record that an address `https://dweb/{did}/…` names.

        Raises:
            InvalidArgument: it is no such address, or that of a DID alone.
            NotFound: there is none that is published.
        """

        async def read(record_id: str, from_: str | None) -> PublishedRecord:
            return await self.read(record_id, from_=from_ or "")

        async def first(drl: Drl, order: Any, published: bool, from_: str | None) -> PublishedRecord | None:
            place = RecordFilter(protocol=drl.protocol, protocol_path=drl.protocol_path)
            return next(iter(await self.query(from_=drl.did, date_sort=order, limit=1, **place)), None)

        return await addresses.find(drl, read, first)

    def query(
        self,
        *,
        from_: str,
        date_sort: Sorting = None,
        limit: int | None = None,
        cursor: Cursor | None = None,
        **filters: Unpack[RecordFilter],
    ) -> Query[PublishedRecord]:
        """Ask for records: `await` gives a page, `async for` all of them.

        Parameters are those of `RecordsApi.query`.
        """
        did = arguments.did("from_", from_)
        arguments.positive("limit", limit)
        wire_filter = records_filter(filters) or EVERYTHING
        sort = wire_sort(date_sort)

        async def fetch(cursor: Cursor | None) -> Page[PublishedRecord]:
            pages = without_none(limit=limit, cursor=cursor) or None
            question = await compose.records_query(
                None, self._reader.clock, filter=wire_filter, date_sort=sort, pagination=pages
            )
            reply = await self._reader.ask(did, question)
            found = (PublishedRecord(self._reader, did, entry) for entry in reply["entries"])
            return Page(found, reply.get("cursor"))

        return Query(fetch, cursor)


class Anonymous:
    """The API of somebody who has no DID.

    Attributes:
        records: the published records in others' DWNs.
    """

    def __init__(self, reader: Reader) -> None:
        self.records = PublishedRecords(reader)


@asynccontextmanager
async def anonymous(
    did_dht_gateways: Sequence[str] | None, config: Config | None, options: dict[str, Any]
) -> AsyncIterator[Anonymous]:
    """Open what `Web5.anonymous` gives.

    Raises:
        InvalidArgument, SettingsError: as `Web5.connect`.
    """
    if did_dht_gateways is not None:
        arguments.texts("did_dht_gateways", did_dht_gateways)
    gateways = (await settings_of(config)).did_dht_gateways if did_dht_gateways is None else did_dht_gateways
    reader = await open_reader(gateway_uris=gateways, **options)
    try:
        yield Anonymous(reader)
    finally:
        await reader.close()


async def _data(reader: Reader, owner: str, record_id: str) -> AsyncIterator[bytes]:
    reply = await reader.ask(owner, await compose.records_read(None, reader.clock, filter={"recordId": record_id}))
    stream = reply["entry"].get("data")
    if not isinstance(stream, DataStream):
        raise BlobMissing(f"The DWN has record {record_id} but not its data.")
    return aiter(stream)
