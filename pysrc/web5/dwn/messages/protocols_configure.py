"""ProtocolsConfigure: a protocol and its rules (`src/handlers/protocols-configure.ts`).

A protocol has one definition, the newest; what was written under an older one stays.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import PlainValidator, with_config
from typing_extensions import TypedDict

from web5.dwn.cid import message_cid
from web5.dwn.codes import Code
from web5.dwn.events import Applied
from web5.dwn.messages.parsing import Parties, check_moment, claims_of
from web5.dwn.messages.schema import Schema
from web5.dwn.messages.shapes import CLOSED, DelegatedAuthorization, Signed, Timestamp
from web5.dwn.permissions.authorization import authorize_delegates, invokes_grant
from web5.dwn.protocols.shape import definition_shape
from web5.dwn.protocols.validation import validate_definition
from web5.dwn.services import Call, Change, Message, Reply, Services, reply
from web5.dwn.store.protocols import configured
from web5.dwn.store.schema import configure_columns
from web5.dwn.store.store import Store
from web5.errors import Conflict, Unauthorized


@with_config(CLOSED)
class _Descriptor(TypedDict):
    interface: Literal["Protocols"]
    method: Literal["Configure"]
    messageTimestamp: Timestamp
    definition: Annotated[Any, PlainValidator(definition_shape)]


SCHEMA = Schema("ProtocolsConfigure", Signed[DelegatedAuthorization, _Descriptor])


async def handle(services: Services, call: Call) -> Reply:
    """Reply 202 if the definition is now the protocol's."""
    message = SCHEMA.check(call.message)
    validate_definition(message["descriptor"]["definition"])
    claims = claims_of(message)
    check_moment(message["descriptor"]["messageTimestamp"])
    parties = claims.parties()
    cid = message_cid(message)
    await services.verifier.authenticate(message["authorization"])
    await services.publish([services.commit(lambda: _change(services.store, call, message, cid, parties))])
    return reply(202, "Accepted")


def _change(store: Store, call: Call, message: Message, cid: str, parties: Parties) -> Change:
    descriptor, author = message["descriptor"], parties.author or ""
    authorize_delegates(store, message, parties)
    if author != call.tenant and not invokes_grant(store, call.tenant, message, parties):
        raise Unauthorized(Code.ProtocolsConfigureAuthorizationFailed, "message failed authorization")
    tenant = store.enrol(call.tenant)
    previous = configured(store, tenant, descriptor["definition"]["protocol"])
    row = None if previous is None else store.message(tenant, previous)
    if row is not None:
        if (descriptor["messageTimestamp"], cid) <= row.age:
            raise Conflict("", "Conflict")
        store.supersede([row])
    columns = configure_columns(tenant, call.tenant, cid, message, author=author)
    return Applied(call.tenant, cid, store.put(columns), message, True, call.source, None, columns), []
