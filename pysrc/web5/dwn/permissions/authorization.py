"""Authorization of messages by grants, as the handlers ask for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from web5.dwn.permissions.delegation import AUTHOR, OWNER
from web5.dwn.permissions.grants import Grant, fetch_grant
from web5.dwn.permissions.records import check_genuine
from web5.dwn.permissions.rules import Use, authorize
from web5.dwn.store.store import MessageRow, Store
from web5.dwn.values.types import Message
from web5.errors import BadRequest, Unauthorized

if TYPE_CHECKING:
    from web5.dwn.messages.parsing import Parties


def authorize_delegates(
    store: Store, message: Message, parties: Parties, *, record: Message | None = None, now: Callable[[], str] = str
) -> None:
    """Check that whoever signed for the author or for the owner was granted that, as far as this message goes.

    Parameters:
        store: revocations are looked up in the grantor's own DWN, if that is here.
        record: a RecordsWrite of the record that the message writes, reads or deletes.
        now: gives `Use.now`, if there is a grant.

    Raises:
        Unauthorized: with the reference's code.
    """
    for kind, message_grant, grantor, grantee in (
        (AUTHOR, parties.author_grant, parties.author, parties.signer),
        (OWNER, parties.owner_grant, parties.owner, parties.owner_signer),
    ):
        if message_grant is None or grantor is None or grantee is None:
            continue
        try:
            grant = Grant.parse(message_grant)
            authorize(Use(store, grant, message, grantor, grantee, record=record, now=now()))
            # Asked last, so that whatever the reference refuses is refused with its code.
            check_genuine(message_grant, kind.not_delegated, kind.other_grant)
            if not grant.delegated:
                raise BadRequest(kind.not_delegated, f"the {kind.property} is not a delegated grant")
        except BadRequest as error:
            raise Unauthorized(error.code, error.message) from error


def invokes_grant(
    store: Store,
    tenant_did: str,
    message: Message,
    parties: Parties,
    *,
    record: Message | None = None,
    read: MessageRow | None = None,
    now: Callable[[], str] = str,
    at: str | None = None,
) -> bool:
    """Return True if the message invokes a grant of the tenant's that allows it; False if it invokes none.

    Parameters:
        record, read: as in `Use`; `now` gives its `now`, if there is a grant.
        at: the date by which a message from the past is judged (`dwn.history`).

    Raises:
        Unauthorized: it invokes one that does not allow it, with the reference's code.
    """
    grant_id = parties.claims.get("permissionGrantId")
    if grant_id is None or parties.author is None:
        return False
    grant = fetch_grant(store, store.tenant(tenant_did), grant_id, at)
    authorize(Use(store, grant, message, tenant_did, parties.author, record=record, read=read, now=now()))
    return True
