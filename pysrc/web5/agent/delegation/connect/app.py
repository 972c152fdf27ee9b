"""The app's side of the connect flow.

Source: `initClient` in `src/connect.ts` of `@web5/agent` 0.8.1.

Invariants:
1. A delegation comes out that the person's wallet has made for this very request: it is signed by the key that it is
   for, names this request's nonce and key, and was opened by the PIN. That its grants are the owner's, is checked by
   whoever accepts it.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from web5.agent.agent import Agent
from web5.agent.delegation.connect import relay, wire
from web5.agent.delegation.delegation import Delegation, ProtocolPermissions
from web5.agent.delegation.request import LONGEST_NAME, DelegationRequest
from web5.crypto.encoding import b64url_encode
from web5.dids import jwk
from web5.dids.keys import signer_for
from web5.dids.models import PortableDid
from web5.errors import (
    CryptoError,
    DelegationError,
    InvalidArgument,
    NotConnected,
    NotConnectedReason,
    RemoteError,
)
from web5.urls import normal_endpoint

POLL_SECONDS = 3.0
"""The reference's interval."""

MOST_PINS = 5
"""PINs that are tried."""

SKEW_SECONDS = 24 * 60 * 60
"""Time by which the clocks of app and wallet may differ: the response's age is bounded by the relay already."""


@dataclass(frozen=True, slots=True)
class WalletConnect:
    """The way to ask the person's wallet for a delegation.

    Parameters:
        display_name: what the app calls itself; the wallet shows it.
        permissions: what it asks for, for each protocol.
        server: the URL of the relay: that of a node with `/connect` at its end.
        wallet_uri: the wallet's address, such as "https://wallet.example/" or "web5://connect"; the request is added.
        on_uri: called with the link to bring to the wallet, as a link or a QR code. It has a secret in it.
        ask_pin: awaited once the wallet has answered, with the number of PINs that were wrong so far; gives the PIN
            that the wallet shows.
    """

    display_name: str
    permissions: Sequence[ProtocolPermissions]
    server: str
    wallet_uri: str
    on_uri: Callable[[str], None]
    ask_pin: Callable[[int], Awaitable[str]]

    def __post_init__(self) -> None:
        if not isinstance(self.display_name, str) or len(self.display_name) > LONGEST_NAME:
            raise InvalidArgument(f"display_name is a text of up to {LONGEST_NAME} characters.")
        if not self.permissions:
            raise InvalidArgument("permissions is empty: name at least one protocol and what may be done with it.")
        if normal_endpoint(self.server) is None:
            raise InvalidArgument(f"server={self.server!r:.100} is no URL such as https://dwn.example.org/connect.")
        if not urlsplit(self.wallet_uri).scheme:
            raise InvalidArgument(f"wallet_uri={self.wallet_uri!r:.100} is no URL such as https://wallet.example/.")
        if not (callable(self.on_uri) and callable(self.ask_pin)):
            raise InvalidArgument("on_uri and ask_pin are functions.")


async def ask_wallet(agent: Agent, wallet: WalletConnect) -> Delegation:
    """Ask the person's wallet for a delegation, and wait for it.

    Raises:
        NotConnected: the wallet did not answer, or with something else; or no PIN was the right one.
        RemoteError: the relay cannot be reached.
        InvalidArgument: there is no such permission.
    """
    client = await jwk.create(agent.crypto)
    nonce, state, key = b64url_encode(os.urandom(16)), b64url_encode(os.urandom(16)), os.urandom(32)
    server = wallet.server.rstrip("/")
    claims = {
        "client_id": client.uri,
        "scope": "openid did:jwk",
        "redirect_uri": f"{server}/callback",
        **DelegationRequest(wallet.permissions, display_name=wallet.display_name).to_json(),
        "displayName": wallet.display_name,
        "nonce": nonce,
        "response_type": "id_token",
        "response_mode": "direct_post",
        "state": state,
        "client_metadata": {"subject_syntax_types_supported": ["did:dht", "did:jwk"]},
    }
    signed = await wire.sign(await signer_for(client, agent.crypto), claims)
    pushed = await relay.push(agent.http, server, await wire.seal_request(signed, key))
    ends = agent.clock.monotonic() + pushed.seconds
    wallet.on_uri(_link(wallet.wallet_uri, pushed.uri, key))
    response = await _awaited(agent, f"{server}/token/{state}.jwt", ends)
    return await _opened(agent, wallet, client, nonce, response)


async def _awaited(agent: Agent, url: str, ends: float) -> str:
    while True:
        trouble: RemoteError | None = None
        try:
            if (response := await relay.take(agent.http, url)) is not None:
                return response
        except RemoteError as error:  # a device may be offline while its person is in another app
            trouble = error
        if agent.clock.monotonic() >= ends:
            if trouble is not None:
                raise trouble
            message = "The wallet did not answer in time; perhaps the person has refused."
            raise NotConnected(NotConnectedReason.UNANSWERED, message)
        await agent.clock.sleep(POLL_SECONDS)


async def _opened(agent: Agent, wallet: WalletConnect, client: PortableDid, nonce: str, response: str) -> Delegation:
    for wrong in range(MOST_PINS):
        pin = (await wallet.ask_pin(wrong)).strip()
        try:
            jwt = await wire.open_response(agent.crypto, response, client, pin)
        except CryptoError:
            continue  # the PIN, or something that nobody can open
        break
    else:
        message = f"{MOST_PINS} PINs do not open the answer: ask the wallet again, and look whether it shows this app."
        raise NotConnected(NotConnectedReason.WRONG_PIN, message)
    try:
        signed = await wire.verified(agent.crypto, jwt)
        _check(signed, client.uri, nonce, agent.clock.now() // 1_000_000)
        return _delegation(signed)
    except (CryptoError, DelegationError) as error:
        raise NotConnected(NotConnectedReason.MALFORMED, f"The wallet's answer cannot be used: {error}") from error


def _check(signed: wire.Signed, client: str, nonce: str, now: int) -> None:
    claims = signed.claims
    if claims.get("sub") != signed.did:
        raise DelegationError("it is signed by another key than the delegate's.")
    audience = claims.get("aud")
    if client not in (audience if isinstance(audience, list) else [audience]) or claims.get("nonce") != nonce:
        raise DelegationError("it is the answer to another request.")
    expires = claims.get("exp")
    if not isinstance(expires, int | float) or expires + SKEW_SECONDS < now:
        raise DelegationError("it has expired.")


def _delegation(signed: wire.Signed) -> Delegation:
    claims: Mapping[str, Any] = signed.claims
    return Delegation.from_json(
        {
            "connectedDid": claims.get("iss"),
            "delegateDid": signed.did,
            "delegatePortableDid": claims.get("delegatePortableDid"),
            "delegateGrants": claims.get("delegateGrants"),
        }
    )


def _link(wallet_uri: str, request_uri: str, key: bytes) -> str:
    scheme, netloc, path, query, fragment = urlsplit(wallet_uri)
    added = {"request_uri": request_uri, "encryption_key": b64url_encode(key)}
    others = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] not in added]
    return urlunsplit((scheme, netloc, path, urlencode([*others, *added.items()]), fragment))
