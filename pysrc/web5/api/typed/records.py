"""Collections of records that are pydantic models: `web5.records(Model)`."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Any, Generic, TypeVar, Union, cast

from pydantic import BaseModel, ValidationError

from web5 import strict_json
from web5.api import arguments
from web5.api.arguments import keywords, shown, unknown_name
from web5.api.protocols import ProtocolsApi
from web5.api.records.filters import RecordFilter
from web5.api.records.ordering import Order, date_sort_of
from web5.api.records.query import Cursor, Page, Query
from web5.api.records.record import Record
from web5.api.records.records import RecordsApi
from web5.api.records.subscriptions import Handler, RecordSubscription
from web5.api.sending import SendReport
from web5.api.typed.declaration import RecordType, type_of
from web5.errors import InvalidArgument, RecordInvalid, Web5Error, first_error
from web5.tasks import TaskSet

M = TypeVar("M", bound=BaseModel)

Parent = Union["TypedRecord[Any]", Record, str, None]
"""The record that others lie below, or its context ID: for a record at a protocol's root, that is the record ID."""

_CONTEXT_ID = re.compile(r"[a-z2-7]{20,200}(/[a-z2-7]{20,200}){0,9}")


class TypedRecord(Generic[M]):
    """A record whose data are a model.

    Attributes:
        record: the record itself, with all its properties.
    """

    def __init__(self, record: Record, declared: RecordType, data: M | RecordInvalid | None) -> None:
        self.record = record
        self._declared = declared
        self._data = data

    @property
    def id(self) -> str:
        """The record ID."""
        return self.record.id

    @property
    def deleted(self) -> bool:
        """True once the record is deleted."""
        return self.record.deleted

    @property
    def author(self) -> str:
        """The DID that made the newest state."""
        return self.record.author

    @property
    def context_id(self) -> str:
        """The context of the record, in which those below it lie."""
        return self.record.context_id or ""

    @property
    def is_valid(self) -> bool:
        """True if the data fit the model."""
        return self._data is not None and not isinstance(self._data, RecordInvalid)

    @property
    def value(self) -> M:
        """The data. A change of it is stored by `update`.

        Raises:
            RecordInvalid: the data do not fit the model; somebody else, or another version of the app, wrote them.
            InvalidArgument: the record is deleted.
        """
        if isinstance(self._data, RecordInvalid):
            raise self._data
        if self._data is None:
            raise InvalidArgument(f"Record {self.id} is deleted, and has no value any more.")
        return self._data

    async def update(self, value: M | None = None, /, **changes: Any) -> TypedRecord[M]:
        """Store a new value, or the present one with some fields changed.

        Parameters:
            value: the new one; by default the present one, as it is now.
            changes: fields with new values.

        Returns:
            This record.

        Raises:
            InvalidArgument: the value does not fit the model, or the record is deleted.
            Errors of `Record.update`.
        """
        current = self.value if value is None else _instance(self._declared, value)
        if unknown := [name for name in changes if name not in self._declared.model.model_fields]:
            raise unknown_name("field", unknown[0], list(self._declared.model.model_fields), of=_name(self._declared))
        made = cast(M, _validated(self._declared, {**dict(current), **changes}))
        await self.record.update(
            data=made.model_dump(mode="json"), tags=self._declared.tags_of(made) if self._declared.tags else None
        )
        self._data = made
        return self

    async def delete(self, *, prune: bool = False) -> None:
        """Delete the record.

        Parameters:
            prune: delete those below it too.
        """
        await self.record.delete(prune=prune)
        self._data = None

    async def send(self, target: str | None = None) -> SendReport:
        """Bring the record to the remote DWNs of `target`, as `Record.send`."""
        return await self.record.send(target)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TypedRecord) and self.record == other.record

    def __hash__(self) -> int:
        return hash(self.record)

    def __repr__(self) -> str:
        state = "deleted" if self.deleted else shown(self._data)
        return f"<TypedRecord {self.id} {self._declared.path}: {state}>"


class TypedRecords(Generic[M]):
    """The records of one type, in the local DWN or in another's: `web5.records(Model)`.

    Where `from_` is given, all that is asked and written is in that DID's DWN, with the role, if one is given.
    """

    def __init__(
        self,
        records: RecordsApi,
        protocols: ProtocolsApi,
        model: type[M],
        *,
        from_: str | None = None,
        role: type[BaseModel] | str | None = None,
    ) -> None:
        self._declared = type_of(model)
        self._records = records
        self._protocols = protocols
        self._from = arguments.did_or_none("from_", from_)
        self._role = _role_path(self._declared, role)

    def __repr__(self) -> str:
        at = f" at {self._from}" if self._from else ""
        return f"<TypedRecords {_name(self._declared)}: {self._declared.path} of {self._declared.protocol.uri}{at}>"

    @keywords
    async def create(
        self,
        value: M,
        *,
        parent: Parent = None,
        recipient: str | None = None,
        published: bool | None = None,
        store: bool = True,
    ) -> TypedRecord[M]:
        """Write a new record. Here, the protocol is configured first where it is not, or not as it is declared.

        Parameters:
            parent: the record that it belongs below, or that one's context ID.
            recipient: the DID that it is addressed to; of a role, who gets it.
            published: True lets anybody read it.
            store: False keeps it out of the DWN, for `send`.

        Raises:
            InvalidArgument: the value is no such model, or the parent is missing or of another type.
            Errors of `records.create`, and of `send` where the record goes to another's DWN.
        """
        declared = self._declared
        made = _instance(declared, value)
        context = _context(declared, parent, required=True)
        elsewhere = self._from is not None
        if not elsewhere and store:
            await self._protocols.configure(declared.protocol.to_definition())
        record = await self._records.create(
            made.model_dump(mode="json"),
            data_format=declared.data_format,
            schema=declared.schema,
            protocol=declared.protocol.uri,
            protocol_path=declared.path,
            parent_context_id=context,
            recipient=recipient,
            published=published,
            tags=declared.tags_of(made) if declared.tags else None,
            protocol_role=self._role,
            store=store and not elsewhere,
        )
        if elsewhere and store:
            await record.send(self._from)
            record = record.found_at(self._from)
        return TypedRecord(record, declared, cast(M, made))

    async def read(self, record_id: str) -> TypedRecord[M]:
        """Return the record with this ID.

        Raises:
            NotFound: there is none, or it is of another type.
        """
        record = await self._records.read(record_id, **self._place, **self._filter())
        return await self._typed(record)

    def query(
        self,
        *,
        parent: Parent = None,
        order_by: Order = "date_created",
        limit: int | None = None,
        cursor: Cursor | None = None,
        **tags: Any,
    ) -> Query[TypedRecord[M]]:
        """Ask for records: `await` gives a page, `async for` all of them.

        Parameters:
            parent: only those below this record, which may be given by its context ID.
            order_by: "date_created" or "date_published", with "-" before it for the newest first.
            limit: the number of records of a page at the most.
            cursor: that of the page before.
            tags: only those whose fields that are tags have these values; or ranges, as in `RecordFilter`.
        """
        ask = partial(
            self._records.query,
            **self._place,
            **self._filter(parent, tags),
            date_sort=date_sort_of(order_by),
            limit=limit,
        )

        async def fetch(cursor: Cursor | None) -> Page[TypedRecord[M]]:
            page = await ask(cursor=cursor)
            return Page([await self._typed(record) for record in page], page.cursor)

        return Query(fetch, cursor)

    async def live(
        self,
        *,
        parent: Parent = None,
        order_by: Order = "date_created",
        limit: int | None = None,
        **tags: Any,
    ) -> AsyncIterator[list[TypedRecord[M]]]:
        """Iterate over the states of a query's result: the one that it has now, and the next after each change.

        Parameters are those of `query`.
        """
        states = self._records.live(
            **self._place, **self._filter(parent, tags), date_sort=date_sort_of(order_by), limit=limit
        )
        known: dict[str, TypedRecord[M]] = {}
        async for state in states:
            found = []
            for record in state:
                typed = known.get(record.id)
                is_known = typed is not None and (typed.record is record or typed.record == record)
                found.append(typed if typed is not None and is_known else await self._typed(record))
            known = {typed.id: typed for typed in found}
            yield found

    def subscribe(
        self, handler: Handler[TypedRecord[M]] | None = None, *, parent: Parent = None
    ) -> RecordSubscription[TypedRecord[M]]:
        """Hear of each record that is written or deleted from now on, as `records.subscribe`.

        Parameters:
            handler: called with each, may be `async def`; without one, read the events by `async for`.
            parent: only those below this record.
        """
        events = self._records.subscribe(**self._place, **self._filter(parent))

        async def open_(typed: RecordSubscription[TypedRecord[M]]) -> Any:
            await events

            async def forward() -> None:
                try:
                    async for record in events:
                        typed.put(await self._typed(record))
                    typed.end(None)
                except Web5Error as error:
                    typed.end(error)

            forwarding = TaskSet()
            forwarding.start(forward())

            async def close() -> None:
                await forwarding.cancel()
                await events.close()

            return close

        return RecordSubscription(open_, handler)

    async def _typed(self, record: Record) -> TypedRecord[M]:
        return TypedRecord(record, self._declared, None if record.deleted else await _data_of(record, self._declared))

    @property
    def _place(self) -> dict[str, Any]:
        return {"from_": self._from, "protocol_role": self._role}

    def _filter(self, parent: Parent = None, tags: Mapping[str, Any] | None = None) -> RecordFilter:
        declared = self._declared
        filter = RecordFilter(protocol=declared.protocol.uri, protocol_path=declared.path)
        if parent is not None:
            filter["context_id"] = _context(declared, parent, required=False)
        for name in tags or ():
            if name not in declared.tags:
                raise unknown_name("tag", name, declared.tags or ("none",), of=_name(declared))
        if tags:
            filter["tags"] = {name: getattr(value, "value", value) for name, value in tags.items()}
        return filter


def _name(declared: RecordType) -> str:
    return declared.model.__name__


def _role_path(declared: RecordType, role: type[BaseModel] | str | None) -> str | None:
    if role is None or isinstance(role, str):
        return role
    named = type_of(role)
    if not named.role or named.protocol is not declared.protocol:
        raise InvalidArgument(f"role={shown(role)} is no role of {declared.protocol.uri}.")
    return named.path


def _context(declared: RecordType, parent: Parent, *, required: bool) -> str | None:
    """Return the context of a parent, which has to be of the type above.

    Raises:
        InvalidArgument: it is missing, or of another type.
    """
    record = parent.record if isinstance(parent, TypedRecord) else parent
    if record is None:
        if required and declared.parent:
            raise InvalidArgument(f"parent is missing: a {_name(declared)} lies below a record of {declared.parent!r}.")
        return None
    if isinstance(record, str):
        if not declared.parent or not _CONTEXT_ID.fullmatch(record):
            raise InvalidArgument(f"parent={shown(record)} is no context ID that a {_name(declared)} can lie below.")
        return record
    if not isinstance(record, Record):
        raise InvalidArgument(f"parent={shown(parent)} is no record.")
    if not declared.parent:
        raise InvalidArgument(f"parent={shown(parent)}: a {_name(declared)} lies below nothing.")
    above = (declared.parent, *_paths_above(declared.parent))
    if record.protocol != declared.protocol.uri or record.protocol_path not in (above if not required else above[:1]):
        raise InvalidArgument(f"parent={shown(parent)} is not at {declared.parent!r} of {declared.protocol.uri}.")
    return record.context_id


def _paths_above(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: end + 1]) for end in reversed(range(len(parts)))]


def _instance(declared: RecordType, value: object) -> BaseModel:
    if not isinstance(value, declared.model):
        raise InvalidArgument(f"value={shown(value)} has to be of {_name(declared)}.")
    return value


def _validated(declared: RecordType, fields: Mapping[str, Any]) -> BaseModel:
    try:
        return declared.model.model_validate(fields)
    except ValidationError as error:
        raise InvalidArgument(f"{_name(declared)}: {first_error(error)}") from error


async def _data_of(record: Record, declared: RecordType) -> Any:
    """Return a record's data as its model, or the error that its reader gets."""
    try:
        return declared.model.model_validate(strict_json.parse(await record.data.text()))
    except ValidationError as error:
        return RecordInvalid(record.id, f"its data are no {_name(declared)}: {first_error(error)}")
    except ValueError as error:
        return RecordInvalid(record.id, f"its data are no JSON: {error}")
