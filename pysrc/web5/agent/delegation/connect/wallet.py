"""The wallet's side of the connect flow.

Source: `getAuthRequest` and `submitAuthResponse` in `src/oidc.ts` of `@web5/agent` 0.8.1.

Invariants:
1. A request is shown as the app's key has signed it, or not at all; nothing is granted before the person approves.
2. Where the app cannot get the delegation, its grants are revoked again.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from web5.agent.agent import Agent
from web5.agent.delegation.authorize import A_YEAR, create_delegation
from web5.agent.delegation.connect import relay, wire
from web5.agent.delegation.delegation import Delegation, ProtocolPermissions
from web5.agent.delegation.request import DelegationRequest
from web5.crypto.encoding import b64url_decode
from web5.crypto.xchacha import KEY_BYTES
from web5.dids.keys import signer_for
from web5.dwn.permissions.compose import permission_revocation
from web5.dwn.permissions.grants import split_encoded_data
from web5.errors import CryptoError, DelegationError, InvalidArgument, NotConnected, NotConnectedReason, Web5Error
from web5.urls import normal_endpoint

PIN_DIGITS = 4
"""Digits of the PIN; apps of web5-js have room for so many."""

EXPIRES_SECONDS = 600
LONGEST_URI = 8192
_LONGEST_CLAIM = 512


@dataclass(frozen=True, slots=True)
class ConnectRequest:
    """An app's request that came by a link.

    Attributes:
        display_name: what the app calls itself; nobody has checked that.
        permissions: what it asks for, for each protocol.
        client_did: the key that signed the request, which the app has made for it.
    """

    display_name: str
    permissions: Sequence[ProtocolPermissions]
    client_did: str
    _callback: str = field(repr=False)
    _state: str = field(repr=False)
    _nonce: str = field(repr=False)

    @property
    def server(self) -> str:
        """The host of the relay that the answer goes to."""
        return urlsplit(self._callback).netloc

    def __hash__(self) -> int:
        return hash((self.client_did, self._state))


async def read_request(agent: Agent, uri: str) -> ConnectRequest:
    """Fetch and open the request that a link from an app leads to. The relay gives it once.

    Raises:
        InvalidArgument: it is no such link.
        NotConnected: the request is not there any more, or malformed.
        RemoteError: the relay cannot be reached.
    """
    request_uri, key = _link(uri)
    text = await relay.take(agent.guarded, request_uri)
    if text is None:
        message = "The request is not there: its time is over, or a wallet has read it already. Have the app ask again."
        raise NotConnected(NotConnectedReason.GONE, message)
    try:
        signed = await wire.verified(agent.crypto, await wire.open_request(text.strip(), key))
        return _request(signed)
    except (CryptoError, DelegationError) as error:
        raise NotConnected(NotConnectedReason.MALFORMED, f"The app's request cannot be used: {error}") from error


async def approve(agent: Agent, did: str, request: ConnectRequest, *, expires: datetime | timedelta = A_YEAR) -> str:
    """Let the app that asked act for `did`.

    Returns:
        The PIN to show; the person types it into the app.

    Raises:
        NotConnected: the relay does not take the answer, perhaps because somebody else has answered.
        RemoteError: it cannot be reached.
        InvalidArgument, DwnError: as `create_delegation` raises them.
    """
    name = request.display_name or None
    delegation = await create_delegation(agent, did, request.permissions, expires=expires, description=name)
    try:
        return await _hand_over(agent, delegation, request)
    except BaseException:
        await _revoke(agent, delegation)
        raise


async def _hand_over(agent: Agent, delegation: Delegation, request: ConnectRequest) -> str:
    delegate = delegation.portable_did
    assert delegate is not None  # it was made by `create_delegation`
    now = agent.clock.now() // 1_000_000
    claims = {
        "iss": delegation.connected_did,
        "sub": delegation.delegate_did,
        "aud": request.client_did,
        "nonce": request._nonce,
        "delegateGrants": list(delegation.grants),
        "delegatePortableDid": delegate.to_wire(),
        "iat": now,
        "exp": now + EXPIRES_SECONDS,
    }
    pin = f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}d}"
    signed = await wire.sign(await signer_for(delegate, agent.crypto), claims)
    sealed = await wire.seal_response(agent.crypto, signed, delegate, request.client_did, pin)
    await relay.answer(agent.guarded, request._callback, request._state, sealed)
    return pin


async def _revoke(agent: Agent, delegation: Delegation) -> None:
    with suppress(Web5Error):  # nobody has the delegate's key, so that they are of no use anyway
        signer = await agent.signer(delegation.connected_did)
        for grant in delegation.grants:
            revocation = await permission_revocation(signer, agent.clock, grant=grant)
            await agent.messages.process(delegation.connected_did, *split_encoded_data(revocation))


def _link(uri: str) -> tuple[str, bytes]:
    try:
        fields = dict(parse_qsl(urlsplit(uri.strip()).query, max_num_fields=50)) if len(uri) <= LONGEST_URI else {}
        key = b64url_decode(fields.get("encryption_key", ""))
    except (CryptoError, ValueError):
        fields, key = {}, b""
    request_uri = fields.get("request_uri", "")
    if normal_endpoint(request_uri) is None or len(key) != KEY_BYTES:
        raise InvalidArgument(
            "This is no link of an app that wants to connect: it would have request_uri=… and encryption_key=… in it."
        )
    return request_uri, key


def _request(signed: wire.Signed) -> ConnectRequest:
    claims: Mapping[str, Any] = signed.claims
    if claims.get("client_id") != signed.did:
        raise DelegationError("it is signed by another key than that of its client.")
    if claims.get("response_mode", "direct_post") != "direct_post":
        raise DelegationError("it wants the answer in another way than by a relay.")
    callback = claims.get("redirect_uri")
    if not isinstance(callback, str) or normal_endpoint(callback) is None:
        raise DelegationError("it names no URL for the answer.")
    state, nonce = (_claim(claims, name) for name in ("state", "nonce"))
    # Whoever approves makes the key: the response is signed with it.
    asked = DelegationRequest.from_json({name: value for name, value in claims.items() if name != "delegateDid"})
    return ConnectRequest(asked.display_name, asked.permissions, signed.did, callback, state, nonce)


def _claim(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_CLAIM:
        raise DelegationError(f'its "{name}" is no text of up to {_LONGEST_CLAIM} characters.')
    return value
