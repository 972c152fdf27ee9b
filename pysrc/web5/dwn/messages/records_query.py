"""RecordsQuery and RecordsSubscribe: the records that fit a filter, now or as they come.

A query gives records with their data if it is small, in order and in pages. Where the reference would send a stranger
every event, because no part of what he may see fits his filter, a subscription here gives none.

Sources: `src/handlers/records-query.ts`, `src/handlers/records-subscribe.ts`.
"""

from __future__ import annotations

from contextlib import closing
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field

from web5.crypto.encoding import b64url_encode
from web5.dwn.codes import Code
from web5.dwn.messages.parsing import Parties, check_delegations, check_moment, check_urls, claims_of
from web5.dwn.messages.schema import Schema
from web5.dwn.messages.shapes import (
    Closed,
    Cursor,
    DelegatedAuthorization,
    MaybeSigned,
    Number,
    RecordsFilter,
    Timestamp,
)
from web5.dwn.permissions.authorization import authorize_delegates
from web5.dwn.protocols.authorization import authorize_query
from web5.dwn.protocols.place import Place
from web5.dwn.services import Call, Reply, Services, allows, json_size, reply
from web5.dwn.store.search import DEFAULT_SORT, SORTS, Found, search
from web5.dwn.store.store import Store, parse_stored
from web5.dwn.store.terms import OF_RECORDS, PUBLISHED, record_terms, seen_by
from web5.dwn.values.cid import message_cid
from web5.dwn.values.types import Message
from web5.errors import BadRequest, MessageDamaged


class _Pagination(Closed):
    limit: NotRequired[Annotated[Number, Field(ge=1)]]
    cursor: NotRequired[Cursor]


class _QueryDescriptor(Closed):
    interface: Literal["Records"]
    method: Literal["Query"]
    messageTimestamp: Timestamp
    filter: RecordsFilter
    pagination: NotRequired[_Pagination]
    dateSort: NotRequired[Literal["createdAscending", "createdDescending", "publishedAscending", "publishedDescending"]]


class _SubscribeDescriptor(Closed):
    interface: Literal["Records"]
    method: Literal["Subscribe"]
    messageTimestamp: Timestamp
    filter: RecordsFilter


QUERY = Schema("RecordsQuery", MaybeSigned[DelegatedAuthorization, _QueryDescriptor])
SUBSCRIBE = Schema("RecordsSubscribe", MaybeSigned[DelegatedAuthorization, _SubscribeDescriptor])


async def handle_query(services: Services, call: Call) -> Reply:
    """Reply 200 with `entries`, as many as may be and there is room for, and with a `cursor` if there are more."""
    message = QUERY.check(call.message)
    descriptor = message["descriptor"]
    filter, sort = descriptor["filter"], descriptor.get("dateSort", DEFAULT_SORT)
    if filter.get("published") is False and sort.startswith("published"):
        raise BadRequest(
            Code.RecordsQueryParseFilterPublishedSortInvalid,
            f"queries must not filter for `published:false` and sort by {sort}",
        )
    parties = _parse(message, Code.RecordsQueryFilterMissingRequiredProperties, "queries")
    await _authorize(services, call, message, parties)
    entries, cursor = await services.database.read(lambda: _find(services, call, descriptor, parties))
    return reply(200, "OK", entries=entries, cursor=cursor)


async def handle_subscribe(services: Services, call: Call) -> Reply:
    """Reply 200 with `subscription`, an `events.Subscription`."""
    message = SUBSCRIBE.check(call.message)
    parties = _parse(message, Code.RecordsSubscribeFilterMissingRequiredProperties, "subscriptions")
    await _authorize(services, call, message, parties)
    filter = message["descriptor"]["filter"]
    terms = [OF_RECORDS, *record_terms(filter, call.tenant, asked_by=parties.signer)]
    alternatives = seen_by(parties.author, call.tenant, terms, has_role="protocolRole" in parties.claims)
    handler = call.require_handler(Code.RecordsSubscribeEventStreamUnimplemented)
    is_allowed = None
    if parties.author_grant is not None or "protocolRole" in parties.claims:
        is_allowed = allows(lambda: _check_leave(services, call, message, parties))
    is_allowed = services.in_time(message, is_allowed)
    cid = message_cid(message)
    subscription = await services.subscribe(
        call.tenant, cid, alternatives, handler, is_tenants=parties.author == call.tenant, is_allowed=is_allowed
    )
    return reply(200, "OK", subscription=subscription)


def _parse(message: Message, path_missing: Code, kind: str) -> Parties:
    descriptor = message["descriptor"]
    claims = claims_of(message)
    check_delegations(claims)
    if "protocolRole" in claims.author and "protocolPath" not in descriptor["filter"]:
        raise BadRequest(path_missing, f"Role-authorized {kind} must include `protocolPath` in the filter")
    check_urls(descriptor["filter"])
    check_moment(descriptor["messageTimestamp"])
    return claims.parties()


async def _authorize(services: Services, call: Call, message: Message, parties: Parties) -> None:
    filter = message["descriptor"]["filter"]
    # An unsigned message gets what is published, unless its filter asks for what is not.
    if parties.author is None and filter.get("published") is not False:
        return
    await services.verifier.authenticate(message)
    await services.database.read(lambda: _check_leave(services, call, message, parties))


def _check_leave(services: Services, call: Call, message: Message, parties: Parties) -> None:
    authorize_delegates(services.store, message, parties, now=services.now)
    if "protocolRole" in parties.claims:
        place = Place(services.store, services.store.tenant(call.tenant), call.tenant)
        authorize_query(place, parties, message["descriptor"])


def _find(
    services: Services, call: Call, descriptor: dict[str, Any], parties: Parties
) -> tuple[list[Message], dict[str, Any] | None]:
    tenant_did, room = call.tenant, call.room_left()
    sort = SORTS[descriptor.get("dateSort", DEFAULT_SORT)]
    terms = list(record_terms(descriptor["filter"], tenant_did, asked_by=parties.signer))
    if sort[0] == "date_published" and PUBLISHED not in terms:
        terms.append(PUBLISHED)
    pagination = descriptor.get("pagination", {})
    limit = int(pagination["limit"]) if "limit" in pagination else None
    tenant = services.store.tenant(tenant_did)
    found = search(
        services.store.connection,
        tenant,
        seen_by(parties.author, tenant_did, terms, has_role="protocolRole" in parties.claims),
        method="Write",
        sort=sort,
        after=_position(pagination.get("cursor")),
        limit=None if limit is None else limit + 1,
    )
    entries: list[Message] = []
    last: Found | None = None
    with closing(found):
        for one in found:
            try:
                entry, size = _entry(services.store, tenant, one)
            except MessageDamaged as error:  # which is no reason to show none
                services.tell_damage(tenant_did, error.cid, error)
                continue
            room -= size
            if last is not None and (len(entries) == limit or room < 0):
                return entries, {"messageCid": last.cid, "value": last.value}
            entries.append(entry)
            last = one
    return entries, None


def _position(cursor: dict[str, Any] | None) -> tuple[str, str] | None:
    if cursor is None:
        return None
    value = cursor["value"]
    if not isinstance(value, str):
        # The reference compares keys as text; there a number from 0 is above every date, and one below 0 under it.
        value = "\uffff" if value >= 0 else ""
    return value, cursor["messageCid"]


def _entry(store: Store, tenant: int, found: Found) -> tuple[Message, int]:
    """Return the entry of a record, with about the bytes that it has in JSON."""
    entry = parse_stored(found.body, found.cid)
    size = json_size(found.body)
    if found.data is not None:
        entry["encodedData"] = b64url_encode(found.data)
        size += len(entry["encodedData"])
    if not found.initial and (initial := store.initial_body(tenant, found.record_id)) is not None:
        entry["initialWrite"] = parse_stored(*initial)
        size += json_size(initial[0])
    return entry, size
