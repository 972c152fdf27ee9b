"""RecordsRead: one record with its data (`src/handlers/records-read.ts`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Literal

from web5.dwn.codes import Code
from web5.dwn.messages.parsing import Parties, check_delegations, check_moment, claims_of
from web5.dwn.messages.schema import Schema
from web5.dwn.messages.shapes import Closed, DelegatedAuthorization, MaybeSigned, RecordsFilter, Timestamp
from web5.dwn.permissions.authorization import authorize_delegates, invokes_grant
from web5.dwn.protocols.authorization import authorize_on_record
from web5.dwn.protocols.place import Place
from web5.dwn.services import Call, Reply, Services, allows, reply
from web5.dwn.signatures.jws import message_author
from web5.dwn.store.search import Found, search
from web5.dwn.store.store import parse_stored
from web5.dwn.store.terms import Term, record_terms, seen_by
from web5.dwn.values.types import Message
from web5.errors import BadRequest, NotFound, Unauthorized


class _Descriptor(Closed):
    interface: Literal["Records"]
    method: Literal["Read"]
    messageTimestamp: Timestamp
    filter: RecordsFilter


MAX_CANDIDATES = 100
"""Records that a role, a rule or a grant may show, which are looked through for one that it does."""

SCHEMA = Schema("RecordsRead", MaybeSigned[DelegatedAuthorization, _Descriptor])


async def handle(services: Services, call: Call) -> Reply:
    """Reply 200 with `entry`: `recordsWrite`, `data`, and `initialWrite` where that is another message.

    A record that was deleted gives 404 with `recordsDelete` and `initialWrite`.
    """
    message = SCHEMA.check(call.message)
    claims = claims_of(message)
    check_delegations(claims)
    check_moment(message["descriptor"]["messageTimestamp"])
    parties = claims.parties()
    if parties.author is not None:
        await services.verifier.authenticate(message)
    return await services.database.read(lambda: _read(services, call.tenant, message, parties))


def _read(services: Services, tenant_did: str, message: Message, parties: Parties) -> Reply:
    store = services.store
    reader = _Reader(Place(store, store.tenant(tenant_did), tenant_did), message, parties, services.now)
    one, body = reader.find()
    initial = None if one.initial else store.initial_write(reader.place.tenant, one.record_id)
    if one.method == "Delete":
        return reply(404, "Not Found", entry={"recordsDelete": body, "initialWrite": initial})
    data = services.data_of(reader.place.tenant, tenant_did, one.cid, body, one.data, is_latest=True)
    entry = {"recordsWrite": body, "data": data}
    if initial is not None:
        entry["initialWrite"] = initial
    return reply(200, "OK", entry=entry)


_Candidate = tuple[Found, Message]


@dataclass(frozen=True, slots=True)
class _Reader:
    """One question for a record.

    To whoever is not the tenant, what must not be seen does not exist: the reference says that there is such a record,
    or several, and so answers any filter about tags, sizes, schemas and content. Only whoever names nothing but a
    record's ID is refused, as there.
    """

    place: Place
    message: Message
    parties: Parties
    now: Callable[[], str]

    def find(self) -> _Candidate:
        """Return the one record that was asked for, and its message.

        Raises:
            NotFound: there is none that may be seen.
            Unauthorized: the record that was named must not be seen.
            BadRequest: there are several.
        """
        filter: dict[str, Any] = self.message["descriptor"]["filter"]
        tenant_did = self.place.tenant_did
        terms = list(record_terms(filter, tenant_did, asked_by=self.parties.signer))
        named = filter.keys() == {"recordId"}
        if self.parties.signer == tenant_did or named:
            found = self._search([terms], 2)
            for one in found:
                self._check(*one)
        else:
            # What is published, or by or for the reader; and what else a role, a rule or a grant may allow.
            found = self._search(seen_by(self.parties.author, tenant_did, terms), 2)
            candidates = {one[0].record_id: one for one in (*found, *self._search([terms], MAX_CANDIDATES))}
            allowed = (one for one in candidates.values() if allows(partial(self._check, *one))())
            found = list(islice(allowed, 2))
        if not found:
            raise NotFound("", "Not Found")
        if len(found) > 1:
            raise BadRequest(Code.RecordsReadReturnedMultiple, "Multiple records exist for the RecordsRead filter")
        return found[0]

    def _search(self, alternatives: list[list[Term]], limit: int) -> list[_Candidate]:
        found = search(self.place.store.connection, self.place.tenant, alternatives, limit=limit)
        return [(one, parse_stored(one.body, one.cid)) for one in found]

    def _check(self, found: Found, body: Message) -> None:
        place, message, parties = self.place, self.message, self.parties
        write: Message | None = body
        if found.method == "Delete":
            write = place.store.initial_write(place.tenant, found.record_id)
            if write is None:
                raise NotFound("", "Not Found")
        assert write is not None
        authorize_delegates(place.store, message, parties, record=write, now=self.now)
        descriptor, reader = write["descriptor"], parties.author
        if reader == place.tenant_did or descriptor.get("published") is True:
            return
        if reader is not None:
            if reader in (descriptor.get("recipient"), message_author(write)):
                return
            if invokes_grant(place.store, place.tenant_did, message, parties, record=write, now=self.now):
                return
        if "protocol" in descriptor:
            return authorize_on_record(place, parties, write, "a read")
        raise Unauthorized(Code.RecordsReadAuthorizationFailed, "message failed authorization")
