"""ProtocolsConfigure: a protocol and its rules. ProtocolsQuery: the protocols of a DWN.

A protocol has one definition, the newest; what was written under an older one stays, and so does that, for whoever gets
it later (`dwn.history`). A requester who may not see all protocols gets those that are published.

Sources: `src/handlers/protocols-configure.ts`, `src/handlers/protocols-query.ts`.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, NotRequired

from pydantic import AfterValidator, PlainValidator

from web5.dwn.codes import Code
from web5.dwn.events import Applied
from web5.dwn.history import excessive, judged, needless
from web5.dwn.messages import rules
from web5.dwn.messages.parsing import (
    Claims,
    check_delegations,
    check_moment,
    check_urls,
    claims_of,
    says_nothing_new,
)
from web5.dwn.messages.schema import Schema
from web5.dwn.messages.shapes import (
    Authorization,
    Closed,
    DelegatedAuthorization,
    Did,
    MaybeSigned,
    Signed,
    Timestamp,
)
from web5.dwn.permissions.authorization import authorize_delegates, invokes_grant
from web5.dwn.protocols.shape import definition_shape
from web5.dwn.protocols.validation import validate_definition
from web5.dwn.services import Call, Change, Reply, Services, json_size, reply
from web5.dwn.store.protocols import Configuration, configurations, versions
from web5.dwn.store.schema import SUPERSEDED, columns_of
from web5.dwn.store.store import Store
from web5.dwn.values.cid import message_cid
from web5.dwn.values.types import Message
from web5.errors import BadRequest, Conflict, Unauthorized

PUBLISHED_ONLY = frozenset(
    {
        Code.AuthenticateJwsMissing,
        Code.ProtocolsQueryUnauthorized,
        Code.ProtocolsGrantAuthorizationQueryProtocolScopeMismatch,
    }
)
"""Refusals after which published protocols are given; after any other, none."""


class _ConfigureDescriptor(Closed):
    interface: Literal["Protocols"]
    method: Literal["Configure"]
    messageTimestamp: Timestamp
    definition: Annotated[Any, PlainValidator(definition_shape)]


class _Filter(Closed):
    protocol: NotRequired[str]
    recipient: NotRequired[Did]


class _QueryDescriptor(Closed):
    interface: Literal["Protocols"]
    method: Literal["Query"]
    messageTimestamp: Timestamp
    filter: NotRequired[Annotated[_Filter, AfterValidator(rules.not_empty)]]


CONFIGURE = Schema("ProtocolsConfigure", Signed[DelegatedAuthorization, _ConfigureDescriptor])
QUERY = Schema("ProtocolsQuery", MaybeSigned[Authorization, _QueryDescriptor])


async def handle_configure(services: Services, call: Call) -> Reply:
    """Reply 202 if the definition is now the protocol's."""
    message = CONFIGURE.check(call.message)
    validate_definition(message["descriptor"]["definition"])
    claims = claims_of(message)
    check_moment(message["descriptor"]["messageTimestamp"])
    claims.parties()
    cid = message_cid(message)
    await services.verifier.authenticate(message)
    await services.put(call.tenant, lambda: _change(services.store, call, message, cid, claims))
    return reply(202, "Accepted")


def _change(store: Store, call: Call, message: Message, cid: str, claims: Claims) -> Change:
    parties, descriptor = claims.parties(), message["descriptor"]
    author, definition = parties.author or "", descriptor["definition"]
    authorize_delegates(store, message, parties)
    if author != call.tenant and not judged(
        lambda at: invokes_grant(store, call.tenant, message, parties, at=at), message, replicated=call.replicated
    ):
        raise Unauthorized(Code.ProtocolsConfigureAuthorizationFailed, "message failed authorization")
    tenant = store.enrol(call.tenant)
    known = versions(store, tenant, definition["protocol"])
    this = Configuration(cid, descriptor["messageTimestamp"], json.dumps(message))
    is_older = bool(known) and this.age <= known[-1].age
    if any(says_nothing_new(message, one.message) for one in (known if is_older else known[-1:])):
        raise Conflict("", "Conflict")
    both = sorted((*known, this), key=lambda one: one.age)
    dropped = excessive(both) if is_older else needless(both)
    if is_older and (not call.replicated or cid in dropped):
        raise Conflict("", "Conflict")
    check_delegations(claims)  # the reference does not ask whether the grant is the one that was signed
    store.forget(tenant, dropped)
    columns = columns_of(tenant, call.tenant, cid, message, author, {"descriptor": definition})
    if is_older:
        columns = columns._replace(method=SUPERSEDED)
    else:
        store.set_aside(tenant, definition["protocol"])
    return Applied(call.tenant, cid, store.put(columns), message, not is_older, call.source, None, columns), []


async def handle_query(services: Services, call: Call) -> Reply:
    """Reply 200 with `entries`, ProtocolsConfigure messages, oldest first; a `cursor` says that there are more.

    No ProtocolsQuery takes a cursor: what is left out has to be asked for by its `protocol`.
    """
    message = QUERY.check(call.message)
    descriptor: dict[str, Any] = message["descriptor"]
    claims = claims_of(message)
    filter: dict[str, Any] = descriptor.get("filter", {})
    if "filter" in descriptor and "protocol" not in filter:
        raise BadRequest(
            Code.UrlProtocolNotNormalized, "Protocol URI undefined must be normalized: a filter names a protocol"
        )
    check_urls(filter)
    check_moment(descriptor["messageTimestamp"])
    parties = claims.parties()
    published_only = False
    try:
        await services.verifier.authenticate(message)
        if parties.author != call.tenant and not (
            parties.claims.get("permissionGrantId")
            and await services.database.read(
                lambda: invokes_grant(services.store, call.tenant, message, parties, now=services.now)
            )
        ):
            raise Unauthorized(Code.ProtocolsQueryUnauthorized, "The ProtocolsQuery failed authorization")
    except Unauthorized as error:
        if error.code not in PUBLISHED_ONLY:
            raise
        published_only = True
    # No protocol has a recipient.
    if "recipient" in filter:
        return reply(200, "OK", entries=[])
    protocol = filter.get("protocol")
    return await services.database.read(lambda: _found(services, call, protocol, published_only=published_only))


def _found(services: Services, call: Call, protocol: str | None, *, published_only: bool) -> Reply:
    tenant = services.store.tenant(call.tenant)
    found = configurations(services.store, tenant, protocol=protocol, published_only=published_only)
    room, entries, last, cursor = call.room_left(), [], None, None
    for one in found:
        room -= json_size(one.body)
        if last is not None and room < 0:
            cursor = {"messageCid": last.cid, "value": last.message_timestamp}
            break
        entries.append(one.message)
        last = one
    return reply(200, "OK", entries=entries, cursor=cursor)
