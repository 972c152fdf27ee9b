"""Registration of a tenant with a DWN server: its demands, and how to meet them.

Source: `src/dwn-registrar.ts` of `@web5/agent` 0.8.1; `src/http-api.ts` and `src/registration/registration-manager.ts`
of `@web5/dwn-server` 0.6.1. Nobody signs: whoever does the work may register any DID.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from web5 import strict_json
from web5.crypto.proof_of_work import LARGEST, Challenge
from web5.errors import RegistrationError, RegistrationReason
from web5.ports.http import Http
from web5.remote.dwn import SECONDS
from web5.remote.info import endpoint_url, server_info

PROOF_OF_WORK = "proof-of-work-sha256-v0"
TERMS_OF_SERVICE = "terms-of-service"
INVITATION_CODE = "invitation-code"
"""Our own: the code of an invitation, beside the registration as `invitationCode`."""

MAX_BYTES = 1024 * 1024
"""Bytes of terms, and of any other answer, that are read."""

LONGEST_NONCE = 1024
_SHOWN = 300
_BOUND = re.compile(r"[0-9a-fA-F]{1,256}")

# The codes of the reference's `src/dwn-error.ts` that are more than a plain no.
_REASONS = {
    "RegistrationManagerInvalidOrOutdatedTermsOfServiceHash": RegistrationReason.TERMS_CHANGED,
    "ProofOfWorkManagerInvalidChallengeNonce": RegistrationReason.CHALLENGE_EXPIRED,
    "ProofOfWorkInvalidOrExpiredChallenge": RegistrationReason.CHALLENGE_EXPIRED,
    "ProofOfWorkManagerResponseNonceReused": RegistrationReason.CHALLENGE_EXPIRED,
    "ProofOfWorkInsufficientSolutionNonce": RegistrationReason.MORE_WORK,
    # Those of `web5.node.tenants.invitations`.
    "InvitationCodeMissing": RegistrationReason.INVITATION,
    "InvitationCodeUnknown": RegistrationReason.INVITATION,
    "InvitationCodeEnded": RegistrationReason.INVITATION,
    "InvitationCodeUsedUp": RegistrationReason.INVITATION,
}


@dataclass(frozen=True, slots=True)
class Terms:
    """A server's terms of service.

    Parameters:
        text: as the server gives it: plain text, or something that must be shown as such.
        hash: SHA-256 of the text in hex, which is what a tenant agrees to.
    """

    text: str
    hash: str

    @property
    def are_empty(self) -> bool:
        """True if there is nothing in them to agree to: the reference cannot do without terms (`docs/sync.md`)."""
        return not self.text.strip()


@dataclass(frozen=True, slots=True)
class Demands:
    """The demands of a server on those who want to register: its terms and a proof of work, or None.

    Parameters:
        invitation: True if it wants the code of an invitation.
    """

    terms: Terms | None = None
    challenge: Challenge | None = None
    invitation: bool = False


def registration_data(tenant: str, terms: Terms | None) -> str:
    """Return the registration as the very text that the proof of work covers.

    The server makes it anew by JSON.stringify, so the order of the names and every space count.
    """
    data = {"did": tenant} | ({"termsOfServiceHash": terms.hash} if terms else {})
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


class RegistrationClient:
    """Registers with DWN servers over HTTP.

    Parameters:
        way: gives the way to an endpoint, as `RemoteDwn` has it: a guarded one, if nobody here chose the endpoint.
    """

    def __init__(self, way: Callable[[str], Http], timeout: float = SECONDS) -> None:
        self._way = way
        self._timeout = timeout

    async def demands(self, endpoint: str) -> Demands:
        """Ask for the demands of a server; its challenge is of use for some minutes.

        Raises:
            RegistrationError: it does not say how to register, or demands what is not known here.
            Unreachable, TimedOut, BadReply: as `server_info`.
        """
        asked = (await server_info(self._way(endpoint), endpoint, self._timeout)).registration_requirements
        unknown = sorted(set(asked) - {PROOF_OF_WORK, TERMS_OF_SERVICE, INVITATION_CODE})
        if unknown:
            message = f"{endpoint} asks for what cannot be done here: {', '.join(unknown)[:_SHOWN]}"
            raise RegistrationError(RegistrationReason.NO_WAY, message)
        if not asked:
            message = f"{endpoint} wants its tenants registered, but does not say how; ask whoever runs it"
            raise RegistrationError(RegistrationReason.NO_WAY, message)
        return Demands(
            await self._terms(endpoint) if TERMS_OF_SERVICE in asked else None,
            await self._challenge(endpoint) if PROOF_OF_WORK in asked else None,
            INVITATION_CODE in asked,
        )

    async def register(
        self,
        endpoint: str,
        tenant: str,
        demands: Demands,
        response_nonce: str | None = None,
        invitation: str | None = None,
    ) -> None:
        """Register a tenant, who thereby agrees to the terms of `demands`.

        Parameters:
            response_nonce: the solution of its challenge, if it has one.
            invitation: the code of an invitation; a tenant that was admitted before needs none.

        Raises:
            RegistrationError: the server does not do it.
            Unreachable, TimedOut, BodyTooLarge: as `Http` does.
        """
        request: dict[str, Any] = {"registrationData": strict_json.parse_own(registration_data(tenant, demands.terms))}
        if demands.challenge is not None:
            request["proofOfWork"] = {"challengeNonce": demands.challenge.nonce, "responseNonce": response_nonce}
        if invitation is not None:
            request["invitationCode"] = invitation
        body = json.dumps(request, ensure_ascii=False).encode()
        headers = {"content-type": "application/json"}
        await self._request("POST", endpoint, "registration", headers=headers, body=body)

    async def _terms(self, endpoint: str) -> Terms:
        body = await self._request("GET", endpoint, "registration/terms-of-service")
        return Terms(body.decode("utf-8", "replace"), sha256(body).hexdigest())

    async def _challenge(self, endpoint: str) -> Challenge:
        body = await self._request("GET", endpoint, "registration/proof-of-work")
        match _parsed(body):
            case {"challengeNonce": str(nonce), "maximumAllowedHashValue": str(bound)} if len(
                nonce
            ) <= LONGEST_NONCE and _BOUND.fullmatch(bound):
                return Challenge(nonce, min(int(bound, 16), LARGEST))
        raise RegistrationError(
            RegistrationReason.BAD_ANSWER, f"{endpoint} gave no challenge for a proof of work: {_beginning(body)}"
        )

    async def _request(self, method: str, endpoint: str, path: str, **more: Any) -> bytes:
        url = endpoint_url(endpoint, path)
        response = await self._way(endpoint).request(method, url, timeout=self._timeout, **more)
        body = await response.read(MAX_BYTES)
        if response.status != 200:
            raise _refusal(endpoint, response.status, body)
        return body


def _refusal(endpoint: str, status: int, body: bytes) -> RegistrationError:
    match _parsed(body):
        case {"code": str(code), "message": str(message)}:
            reason = _REASONS.get(code, RegistrationReason.REFUSED)
            words = message if message.startswith(code) else f"{code}: {message}"
            return RegistrationError(reason, f"{endpoint} does not register: {words[:_SHOWN]}")
    shown = _beginning(body) or "without a word"
    return RegistrationError(RegistrationReason.REFUSED, f"{endpoint} does not register: {status}, {shown}")


def _parsed(body: bytes) -> Any:
    try:
        return strict_json.parse(body.decode())
    except ValueError:
        return None


def _beginning(body: bytes) -> str:
    return body[:_SHOWN].decode("utf-8", "replace")
