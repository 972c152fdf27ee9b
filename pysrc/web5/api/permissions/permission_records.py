"""Permission requests, grants and revocations as an app sees them, named as in `@web5/api` (`PermissionRequest` …)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast, get_args

from web5.agent.agent import Agent
from web5.agent.delegation.delegation import METHODS, Permission
from web5.api import arguments
from web5.api.arguments import Moment, moment, shown
from web5.api.permissions.scopes import Conditions, PermissionScope
from web5.api.sending import SendReport
from web5.dwn import compose
from web5.dwn.permissions import protocol as permissions
from web5.dwn.permissions.compose import permission_grant, permission_revocation
from web5.dwn.permissions.grants import permission_data, split_encoded_data, with_encoded_data
from web5.dwn.signatures.jws import message_author
from web5.dwn.signatures.signing import sign_as_owner
from web5.dwn.values.types import Message
from web5.errors import InvalidArgument, NotFound

_PERMISSIONS: dict[tuple[str, str], Permission] = {METHODS[name]: name for name in get_args(Permission)}
_NARROWING = ("protocol", "protocolPath", "contextId")


class PermissionRecord:
    """A record of the permissions protocol.

    Parameters:
        did: who keeps it, signs for it, and sends it.
        message: the RecordsWrite with its `encodedData`.
        home: the DID to which `send` brings it unless another is named.

    Raises:
        BadRequest: its data cannot be read.
    """

    def __init__(self, agent: Agent, did: str, message: Message, home: str | None = None) -> None:
        self._agent = agent
        self._did = did
        self._home = home or did
        self._message = {name: value for name, value in message.items() if name != "initialWrite"}
        self._data = permission_data(self._message)

    @property
    def id(self) -> str:
        """The record ID."""
        record_id: str = self._message["recordId"]
        return record_id

    @property
    def author(self) -> str:
        """The DID that made it."""
        return message_author(self._message)

    @property
    def description(self) -> str | None:
        """The purpose, in words for a person."""
        return self._text("description")

    @property
    def raw_message(self) -> dict[str, Any]:
        """The RecordsWrite with its `encodedData`, as the wire has it."""
        return dict(self._message)

    async def send(self, target: str | None = None) -> SendReport:
        """Bring it to the remote DWNs of `target`, at once or as soon as they take it; it is kept until then.

        Parameters:
            target: a DID; by default the own one, or, for what a delegate asks for, the one for whom it acts.

        Returns:
            The answer of each endpoint; `pending` has those that do not have it yet.

        Raises:
            DidError: there is no such target.
            DwnError, RemoteError, TooManyUndelivered: as `Record.send`.
        """
        arguments.did_or_none("target", target)
        messages = [split_encoded_data(self._message)]
        report = SendReport(await self._agent.sync.send_messages(self._did, target or self._home, messages))
        report.raise_if_undelivered()
        return report

    async def store(self, *, import_: bool = False) -> None:
        """Keep it in the own DWN.

        Parameters:
            import_: sign it as the owner of that DWN, which is needed if somebody else made it.

        Raises:
            DwnError: the DWN refused; Conflict if it is there already.
        """
        message, data = split_encoded_data(self._message)
        if import_:
            message = await sign_as_owner(message, await self._agent.signer(self._did))
        await self._agent.messages.process(self._did, message, data)
        self._message = with_encoded_data(message, data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PermissionRecord) and self._message == other._message

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}: {self._about()}>"

    def _about(self) -> str:
        return f"by {self.author}"

    def _text(self, name: str) -> str | None:
        value = self._data.get(name)
        return value if isinstance(value, str) else None


class ScopedPermission(PermissionRecord):
    """A request or a grant, which are about a scope."""

    @property
    def scope(self) -> PermissionScope:
        """The interface, the method, and what narrows them: `protocol`, `contextId`, `protocolPath`."""
        return cast(PermissionScope, dict(self._data.get("scope") or {}))

    @property
    def permission(self) -> Permission | None:
        """The name by which `ProtocolPermissions` has what the scope allows; None: it is what sync needs."""
        scope = self.scope
        return _PERMISSIONS.get((scope.get("interface", ""), scope.get("method", "")))

    @property
    def delegated(self) -> bool:
        """True if the grantee signs in the grantor's name."""
        return self._data.get("delegated") is True

    @property
    def conditions(self) -> Conditions:
        """The conditions: `{"publication": "Required" or "Prohibited"}`, or none."""
        return cast(Conditions, dict(self._data.get("conditions") or {}))

    def _about(self) -> str:
        found = self._data.get("scope")
        scope: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
        what = f"{scope.get('interface')}{scope.get('method')}"
        return (what if what.isalpha() else shown(what)) + "".join(
            f" {name}={shown(scope[name])}" for name in _NARROWING if name in scope
        )


class PermissionRequest(ScopedPermission):
    """A request for a grant."""

    @property
    def requester(self) -> str:
        """The DID that asks for it."""
        return self.author

    async def grant(self, date_expires: Moment | timedelta, *, store: bool = True) -> PermissionGrant:
        """Grant what is asked for.

        Parameters:
            date_expires: the first moment at which the grant no longer holds, or after how long that is.
            store: keep it in the own DWN, from where sync brings it on.

        Raises:
            DwnError: the scope is refused.
        """
        message = await permission_grant(
            await self._agent.signer(self._did),
            self._agent.clock,
            granted_to=self.requester,
            date_expires=arguments.end("date_expires", date_expires, self._agent.clock.now()),
            scope=self.scope,
            delegated=self.delegated,
            request_id=self.id,
            conditions=self.conditions or None,
        )
        grant = PermissionGrant(self._agent, self._did, message)
        if store:
            await grant.store()
        return grant

    def to_json(self) -> dict[str, Any]:
        """Return the properties by their wire names."""
        return {**self._data, "id": self.id, "requester": self.requester}


class PermissionGrant(ScopedPermission):
    """A grant, by which somebody may do something in the grantor's DWN, or in the grantor's name."""

    @property
    def grantor(self) -> str:
        """The DID that granted it."""
        return self.author

    @property
    def grantee(self) -> str:
        """The DID that may use it."""
        grantee: str = self._message["descriptor"].get("recipient", "")
        return grantee

    @property
    def date_granted(self) -> datetime:
        """The first moment at which it holds, in UTC."""
        return moment(self._message["descriptor"]["dateCreated"])

    @property
    def date_expires(self) -> datetime:
        """The first moment at which it no longer holds, in UTC."""
        return moment(self._text("dateExpires") or "")

    @property
    def request_id(self) -> str | None:
        """The record ID of the request that it answers."""
        return self._text("requestId")

    async def revoke(self, *, description: str | None = None, store: bool = True) -> GrantRevocation:
        """End the grant from now on.

        Parameters:
            store: keep the revocation in the own DWN, from where sync brings it on.

        Raises:
            DwnError: the DWN refused, for instance because the grant is not stored there.
        """
        signer = await self._agent.signer(self._did)
        message = await permission_revocation(signer, self._agent.clock, grant=self._message, description=description)
        revocation = GrantRevocation(self._agent, self._did, message)
        if store:
            await revocation.store()
        return revocation

    async def is_revoked(self, *, remote: bool = False) -> bool:
        """Return True if the grantor's DWN has a revocation of it.

        Parameters:
            remote: ask the grantor's remote DWN instead of what is here.

        Raises:
            DwnError, DidError, RemoteError: the DWN refused, or could not be found or reached.
        """
        filter = {"parentId": self.id, "protocol": permissions.URI, "protocolPath": permissions.REVOCATION}
        read = partial(compose.records_read, await self._agent.signer(self._did), filter=filter)
        try:
            if remote:
                await self._agent.messages.ask(self._did, self.grantor, read)
            else:
                await self._agent.messages.ask(self.grantor, None, read)
        except NotFound:
            return False
        return True

    def to_json(self) -> dict[str, Any]:
        """Return the properties by their wire names."""
        about = {
            "grantor": self.grantor,
            "grantee": self.grantee,
            "dateGranted": self._message["descriptor"]["dateCreated"],
        }
        return {**self._data, "id": self.id, **about, "delegated": self.delegated}


class GrantRevocation(PermissionRecord):
    """The end of a grant."""

    @property
    def grant_id(self) -> str:
        """The record ID of the grant."""
        parent: str = self._message["descriptor"]["parentId"]
        return parent

    def to_json(self) -> dict[str, Any]:
        """Return the properties by their wire names."""
        descriptor = self._message["descriptor"]
        about = {"id": self.id, "parentId": self.grant_id, "dateCreated": descriptor["dateCreated"]}
        return {**self._data, **about}

    def _about(self) -> str:
        return f"of {self.grant_id}"


_KINDS: dict[str, type[PermissionRequest | PermissionGrant | GrantRevocation]] = {
    permissions.REQUEST: PermissionRequest,
    permissions.GRANT: PermissionGrant,
    permissions.REVOCATION: GrantRevocation,
}


def parse_permission(
    agent: Agent, did: str, value: Mapping[str, Any], home: str
) -> PermissionRequest | PermissionGrant | GrantRevocation:
    """Return the record of the permissions protocol that a RecordsWrite with `encodedData` is.

    Raises:
        InvalidArgument: it is none.
        BadRequest: its data cannot be read.
    """
    descriptor = value.get("descriptor") if isinstance(value, Mapping) else None
    about = descriptor if isinstance(descriptor, Mapping) else {}
    kind = _KINDS.get(str(about.get("protocolPath")))
    if kind is None or about.get("protocol") != permissions.URI or "encodedData" not in value:
        raise InvalidArgument(
            "This is no permission: give the `raw_message` of a request, a grant or a revocation, with `encodedData`."
        )
    return kind(agent, did, dict(value), home if kind is PermissionRequest else None)
