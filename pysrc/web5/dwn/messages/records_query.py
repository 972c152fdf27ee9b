"""RecordsQuery: records with their data if it is small, in order and in pages (`src/handlers/records-query.ts`)."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict

from web5.crypto.encoding import b64url_encode
from web5.dwn.codes import Code
from web5.dwn.messages.filters import RecordsFilter
from web5.dwn.messages.parties import Parties, check_delegations, check_moment, check_urls, claims_of
from web5.dwn.messages.schema import Schema
from web5.dwn.messages.shapes import CLOSED, Cursor, DelegatedAuthorization, Number, Timestamp
from web5.dwn.permissions.authorization import authorize_delegates
from web5.dwn.protocols.authorization import Place, authorize_query
from web5.dwn.services import Call, Message, Reply, Services, reply
from web5.dwn.store.search import DEFAULT_SORT, SORTS, Found, search
from web5.dwn.store.store import Store
from web5.dwn.store.terms import PUBLISHED, record_terms, seen_by
from web5.errors import BadRequest


@with_config(CLOSED)
class _Pagination(TypedDict):
    limit: NotRequired[Annotated[Number, Field(ge=1)]]
    cursor: NotRequired[Cursor]


@with_config(CLOSED)
class _Descriptor(TypedDict):
    interface: Literal["Records"]
    method: Literal["Query"]
    messageTimestamp: Timestamp
    filter: RecordsFilter
    pagination: NotRequired[_Pagination]
    dateSort: NotRequired[Literal["createdAscending", "createdDescending", "publishedAscending", "publishedDescending"]]


@with_config(CLOSED)
class _RecordsQuery(TypedDict):
    authorization: NotRequired[DelegatedAuthorization]
    descriptor: _Descriptor


SCHEMA = Schema("RecordsQuery", _RecordsQuery)


async def handle(services: Services, call: Call) -> Reply:
    """200 with `entries`, and with a `cursor` if there are more.

    Raises:
        DwnError: 400, 401 or 501.
    """
    message = SCHEMA.check(call.message)
    descriptor = message["descriptor"]
    parties = _parse(message)
    # Whoever does not sign sees what is published, unless the query asks for what is not.
    if parties.author is not None or descriptor["filter"].get("published") is False:
        await services.verifier.authenticate(message.get("authorization"))
        authorize_delegates(services.store, message, parties)
        if "protocolRole" in parties.claims:
            place = Place(services.store, services.store.tenant(call.tenant), call.tenant)
            authorize_query(place, parties, descriptor["filter"])
    entries, cursor = _find(services, call.tenant, descriptor, parties)
    return reply(200, "OK", entries=entries, cursor=cursor)


def _parse(message: Message) -> Parties:
    descriptor = message["descriptor"]
    filter, sort = descriptor["filter"], descriptor.get("dateSort", DEFAULT_SORT)
    if filter.get("published") is False and sort.startswith("published"):
        raise BadRequest(
            Code.RecordsQueryParseFilterPublishedSortInvalid,
            f"queries must not filter for `published:false` and sort by {sort}",
        )
    claims = claims_of(message)
    check_delegations(claims)
    if "protocolRole" in claims.author and "protocolPath" not in filter:
        raise BadRequest(
            Code.RecordsQueryFilterMissingRequiredProperties,
            "Role-authorized queries must include `protocolPath` in the filter",
        )
    check_urls(filter)
    check_moment(descriptor["messageTimestamp"])
    return claims.parties()


def _find(
    services: Services, tenant_did: str, descriptor: dict[str, Any], parties: Parties
) -> tuple[list[Message], dict[str, Any] | None]:
    sort = SORTS[descriptor.get("dateSort", DEFAULT_SORT)]
    terms = list(record_terms(descriptor["filter"], tenant_did))
    if sort[0] == "date_published" and PUBLISHED not in terms:
        terms.append(PUBLISHED)
    pagination = descriptor.get("pagination", {})
    limit = int(pagination["limit"]) if "limit" in pagination else None
    tenant = services.store.tenant(tenant_did)
    found = search(
        services.database.connection,
        tenant,
        seen_by(parties.author, tenant_did, terms, has_role="protocolRole" in parties.claims),
        method="Write",
        sort=sort,
        after=_position(pagination.get("cursor")),
        limit=None if limit is None else limit + 1,
    )
    cursor = None
    if limit is not None and len(found) > limit:
        del found[limit:]
        cursor = {"messageCid": found[-1].cid, "value": found[-1].value}
    return [_entry(services.store, tenant, one) for one in found], cursor


def _position(cursor: dict[str, Any] | None) -> tuple[str, str] | None:
    if cursor is None:
        return None
    value = cursor["value"]
    if not isinstance(value, str):
        # The reference compares keys as text; there a number from 0 is above every date, and one below 0 under it.
        value = "\uffff" if value >= 0 else ""
    return value, cursor["messageCid"]


def _entry(store: Store, tenant: int, found: Found) -> Message:
    entry: Message = json.loads(found.body)
    if found.data is not None:
        entry["encodedData"] = b64url_encode(found.data)
    if not found.initial:
        entry["initialWrite"] = store.initial_write(tenant, found.record_id)
    return entry
