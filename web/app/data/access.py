"""Protocols, and who may do what with the records of the identity in use, in the shape the page shows.

Times are milliseconds since 1970.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from web5 import DelegationRequest, Web5, strict_json
from web5.agent.delegation.connect.wallet import ConnectRequest
from web5.api.permissions.permission_records import PermissionGrant, PermissionRequest
from web5.dwn.values.cid import message_cid
from web5.dwn.values.timestamps import microseconds
from web5.dwn.values.urls import normalize_url
from web5.errors import DelegationError, InvalidArgument, NotFound, Web5Error

LONGEST_TEXT = 200_000
"""Characters of what is pasted: a definition, or a request."""

LONGEST_VALUE = 1_000
"""Characters of one value that are shown."""

MOST_PATHS = 200
"""Paths of a protocol that are shown."""

MOST_DAYS = 3650
"""Days that access is given for at the most."""


async def protocols(web5: Web5) -> list[dict[str, Any]]:
    """Return the configured protocols, by their URIs, with what each lets whom do."""
    found = []
    for one in await web5.dwn.protocols.query():
        definition = one.definition
        paths = _rules(definition)
        found.append(
            {
                "protocol": one.protocol[:LONGEST_VALUE],
                "published": bool(definition.get("published")),
                "encrypted": any(path["encrypted"] for path in paths),
                "cid": message_cid(one.message),
                "date": microseconds(datetime.fromisoformat(one.message["descriptor"]["messageTimestamp"])) // 1000,
                "paths": paths,
            }
        )
    return sorted(found, key=lambda one: str(one["protocol"]))


async def install(web5: Web5, text: str) -> str:
    """Configure the protocol of a definition, and return its URI.

    Raises:
        InvalidArgument, DwnError: it is none. Nothing is changed.
    """
    return (await web5.dwn.protocols.configure(_parsed(text, "definition of a protocol"))).protocol


async def grants(web5: Web5) -> dict[str, Any]:
    """Return the grants that this identity gave, by the DID that they are to, and the requests that wait for one."""
    given = await web5.dwn.permissions.query_grants(grantor=web5.connected_did)
    held = {
        grant.id for grant in await web5.dwn.permissions.query_grants(grantor=web5.connected_did, check_revoked=True)
    }
    now = datetime.now(UTC)
    apps: dict[str, list[dict[str, Any]]] = {}
    for grant in given:
        state = "revoked" if grant.id not in held else "ended" if grant.date_expires <= now else "holds"
        apps.setdefault(grant.grantee, []).append({**_grant(grant), "state": state})
    answered = {grant.request_id for grant in given}
    asked = await web5.dwn.permissions.query_requests()
    return {
        "apps": [{"did": did, "grants": listed} for did, listed in reversed(apps.items())],
        "requests": [_request(one) for one in asked if one.id not in answered and one.author != web5.connected_did],
    }


async def revoke(web5: Web5, ids: Sequence[str]) -> None:
    """End grants that this identity gave; those that have ended stay so."""
    for grant in await web5.dwn.permissions.query_grants(grantor=web5.connected_did, check_revoked=True):
        if grant.id in ids:
            await grant.revoke()


async def grant_request(web5: Web5, id: str, days: int) -> None:
    """Grant what a request that came here asks for; once, if this is called twice.

    Raises:
        NotFound: there is no such request.
    """
    ends = _days(days)
    given = await web5.dwn.permissions.query_grants(grantor=web5.connected_did)
    if any(grant.request_id == id for grant in given):
        return
    for request in await web5.dwn.permissions.query_requests():
        if request.id == id:
            grant = await request.grant(ends)
            with suppress(Web5Error):  # who has no node of their own finds it on this person's
                await grant.send(request.requester)
            return
    raise NotFound("", "That request is not here any more.")


def is_link(text: str) -> bool:
    """Return True if what was pasted is an app's link, which leads to its request, and not the request itself."""
    return "request_uri=" in text and not text.lstrip().startswith("{")


async def read_link(web5: Web5, text: str) -> ConnectRequest:
    """Fetch the request that an app's link leads to, which can be fetched once.

    Raises:
        InvalidArgument, NotConnected, RemoteError: it is no link, or leads to nothing, or to nobody who answers.
    """
    return await web5.wallet.read(text.strip())


def read_request(text: str) -> DelegationRequest:
    """Return an app's request that was pasted.

    Raises:
        DelegationError, InvalidArgument: it is none.
    """
    return DelegationRequest.from_json(_parsed(text, "request of an app"))


async def shown(web5: Web5, request: DelegationRequest | ConnectRequest) -> dict[str, Any]:
    """Return what an app's request asks for, without granting anything."""
    known = {one.protocol for one in await web5.dwn.protocols.query()}
    return {
        "name": request.display_name,
        "did": (request.delegate_did or "") if isinstance(request, DelegationRequest) else "",
        "server": request.server if isinstance(request, ConnectRequest) else "",
        "asks": [
            {
                "protocol": str(one.definition["protocol"])[:LONGEST_VALUE],
                "permissions": list(one.permissions),
                "installs": [] if normalize_url(one.definition["protocol"]) in known else _rules(one.definition),
            }
            for one in request.permissions
        ],
    }


async def connect_app(web5: Web5, request: ConnectRequest, days: int) -> str:
    """Grant what the request that a link led to asks for, and return the PIN for the app.

    Raises:
        InvalidArgument, NotConnected, RemoteError, DwnError: it is refused, or the answer is; nothing is granted then.
    """
    return await web5.wallet.approve(request, expires=_days(days))


async def give_access(web5: Web5, text: str, days: int) -> str:
    """Grant what an app's request asks for, and return the delegation as the text of a JSON file.

    Called twice, it grants twice; either set can be revoked.

    Raises:
        DelegationError, InvalidArgument, DwnError: it is no request, or asks for what is refused.
    """
    request = read_request(text)
    if request.delegate_did == web5.connected_did:
        raise DelegationError("That request is of your own identity, which may do everything already.")
    given = await web5.authorize(
        request.delegate_did,
        permissions=request.permissions,
        expires=_days(days),
        description=request.display_name or None,
    )
    return json.dumps(given, indent=2, ensure_ascii=False)


def _days(days: int) -> timedelta:
    if not 1 <= days <= MOST_DAYS:
        raise InvalidArgument(f"Access is given for 1 to {MOST_DAYS} days.")
    return timedelta(days=days)


def _parsed(text: str, what: str) -> Any:
    if len(text) > LONGEST_TEXT:
        raise InvalidArgument(f"That is not the {what}: it is far too long.")
    try:
        return strict_json.parse(text)
    except ValueError as error:
        raise InvalidArgument(f"That is not the {what}: it should be JSON, from {{ to }}. {error}") from error


def _rules(definition: Mapping[str, Any]) -> list[dict[str, Any]]:
    structure = definition.get("structure")
    found = _paths(structure, "") if isinstance(structure, Mapping) else ()
    return [_path(path, rules) for path, rules in islice(found, MOST_PATHS)]


def _paths(structure: Mapping[str, Any], above: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, rules in structure.items():
        if not name.startswith("$") and isinstance(rules, Mapping):
            path = f"{above}/{name}" if above else name
            yield path, rules
            yield from _paths(rules, path)


def _path(path: str, rules: Mapping[str, Any]) -> dict[str, Any]:
    actions = [one for one in _listed(rules.get("$actions")) if isinstance(one, Mapping)]
    return {
        "path": path[:LONGEST_VALUE],
        "role": bool(rules.get("$role")),
        "encrypted": "$encryption" in rules,
        "actions": [
            {
                "who": str(one.get("role") or one.get("who", ""))[:LONGEST_VALUE],
                "of": str(one.get("of", ""))[:LONGEST_VALUE],
                "by_role": "role" in one,
                "can": [str(verb)[:LONGEST_VALUE] for verb in _listed(one.get("can"))][:20],
            }
            for one in actions
        ][:50],
    }


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _grant(grant: PermissionGrant) -> dict[str, Any]:
    return {
        "id": grant.id,
        **_scope(grant),
        "until": microseconds(grant.date_expires) // 1000,
        "description": (grant.description or "")[:LONGEST_VALUE],
    }


def _request(request: PermissionRequest) -> dict[str, Any]:
    return {
        "id": request.id,
        "did": request.requester,
        **_scope(request),
        "description": (request.description or "")[:LONGEST_VALUE],
    }


def _scope(permission: PermissionGrant | PermissionRequest) -> dict[str, Any]:
    scope: Mapping[str, Any] = permission.scope
    return {
        "permission": permission.permission or "sync",
        "protocol": str(scope.get("protocol", ""))[:LONGEST_VALUE],
        "within": str(scope.get("protocolPath") or scope.get("contextId") or "")[:LONGEST_VALUE],
        "delegated": permission.delegated,
    }
