"""`web5.dwn.permissions`: ask for grants, give them, and see what there is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from web5.agent.agent import Agent
from web5.agent.delegation.actor import Actor
from web5.api import arguments
from web5.api.arguments import Moment, keywords
from web5.api.permissions.permission_records import (
    GrantRevocation,
    PermissionGrant,
    PermissionRequest,
    parse_permission,
)
from web5.api.permissions.scopes import Conditions, PermissionScope, checked_conditions, checked_scope
from web5.dwn import compose
from web5.dwn.permissions import protocol as permissions
from web5.dwn.permissions.compose import permission_grant, permission_request
from web5.dwn.values.types import Message
from web5.dwn.values.urls import normalize_url

MOST_PAGES = 16
"""Answers of a remote node that are asked for, one after the other, to one question."""


class PermissionsApi:
    """Permissions, in the name of whoever signs.

    A delegate's requests and grants are its own, and in its own DWN, as in `@web5/api`. `from_`, where it is taken, is
    the DID whose remote DWN is asked instead of the local one. Each method raises InvalidArgument for what cannot be an
    argument, DwnError if the DWN refuses, a scope for instance, DidError if `from_` cannot be resolved, and RemoteError
    if it names no DWN that can be reached.
    """

    def __init__(self, agent: Agent, actor: Actor) -> None:
        self._agent = agent
        self._did = actor.delegate_did or actor.did
        self._home = actor.did

    def parse(self, value: Mapping[str, Any]) -> PermissionRequest | PermissionGrant | GrantRevocation:
        """Return a request, a grant or a revocation from its `raw_message`, which came by other ways as JSON.

        Raises:
            InvalidArgument: it is none of these.
            BadRequest: its data cannot be read.
        """
        return parse_permission(self._agent, self._did, value, self._home)

    @keywords
    async def request(
        self,
        *,
        scope: PermissionScope,
        delegated: bool = False,
        description: str | None = None,
        conditions: Conditions | None = None,
        store: bool = False,
    ) -> PermissionRequest:
        """Make a request; `await request.send(did)` brings it to the one who is asked.

        Parameters:
            scope: `interface`, `method`, and what narrows them: `protocol` (records need one), `contextId` or
                `protocolPath`.
            delegated: ask to sign in the grantor's name.
            description: the purpose, in words for a person.
            conditions: `{"publication": "Required" or "Prohibited"}`.
            store: keep it in the own DWN too.
        """
        message = await permission_request(
            await self._agent.signer(self._did),
            self._agent.clock,
            scope=checked_scope(scope),
            delegated=delegated,
            description=description,
            conditions=checked_conditions(conditions),
        )
        request = PermissionRequest(self._agent, self._did, message, self._home)
        if store:
            await request.store()
        return request

    @keywords
    async def grant(
        self,
        *,
        granted_to: str,
        scope: PermissionScope,
        date_expires: Moment | timedelta,
        delegated: bool = False,
        description: str | None = None,
        request_id: str | None = None,
        conditions: Conditions | None = None,
        store: bool = True,
    ) -> PermissionGrant:
        """Grant something.

        Parameters:
            granted_to: the DID of the grantee.
            scope, description, conditions: as for `request`.
            date_expires: the first moment at which it no longer holds, or after how long that is.
            delegated: let the grantee sign in this DID's name.
            request_id: the record ID of the request that it answers.
            store: keep it in the own DWN, from where sync brings it on. Elsewhere than there, only a delegated grant
                can be used.
        """
        message = await permission_grant(
            await self._agent.signer(self._did),
            self._agent.clock,
            granted_to=arguments.did("granted_to", granted_to),
            date_expires=arguments.end("date_expires", date_expires, self._agent.clock.now()),
            scope=checked_scope(scope),
            delegated=delegated,
            description=description,
            request_id=request_id,
            conditions=checked_conditions(conditions),
        )
        grant = PermissionGrant(self._agent, self._did, message)
        if store:
            await grant.store()
        return grant

    @keywords
    async def query_requests(self, *, protocol: str | None = None, from_: str | None = None) -> list[PermissionRequest]:
        """Return the requests that were sent to this DID, the oldest first.

        Parameters:
            protocol: only those about this one.
        """
        entries = await self._query(permissions.REQUEST, from_, protocol)
        return [PermissionRequest(self._agent, self._did, entry) for entry in entries]

    @keywords
    async def query_grants(
        self,
        *,
        grantor: str | None = None,
        grantee: str | None = None,
        protocol: str | None = None,
        check_revoked: bool = False,
        from_: str | None = None,
    ) -> list[PermissionGrant]:
        """Return the grants that this DID gave or keeps, or that `from_` lets it see, the oldest first.

        Parameters:
            grantor, grantee, protocol: only those by, to, about this one.
            check_revoked: leave out those that were revoked.
        """
        entries = await self._query(permissions.GRANT, from_, protocol, author=grantor, recipient=grantee)
        grants = [PermissionGrant(self._agent, self._did, entry) for entry in entries]
        if not check_revoked:
            return grants
        return [grant for grant in grants if not await grant.is_revoked(remote=from_ is not None)]

    async def _query(self, path: str, from_: str | None, protocol: str | None, **filter: str | None) -> list[Message]:
        arguments.did_or_none("from_", from_)
        tags = None if protocol is None else {"protocol": normalize_url(protocol)}
        filters = {"protocol": permissions.URI, "protocolPath": path, "tags": tags, **filter}
        query = partial(compose.records_query, await self._agent.signer(self._did), filter=filters)
        entries: list[Message] = []
        for _ in range(MOST_PAGES):
            reply = await self._agent.messages.ask(self._did, from_, query)
            entries += reply["entries"]
            if (cursor := reply.get("cursor")) is None:
                break
            # A remote node gives what it has room for.
            query = partial(query, pagination={"cursor": cursor})
        return entries
