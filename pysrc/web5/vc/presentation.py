"""Verifiable presentations (VC Data Model 1.1, section 4.10; `verifiable-presentation.ts` of @web5/credentials)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from web5.errors import InvalidArgument
from web5.vc.codes import Code
from web5.vc.models import VcModel, as_list, party


class VerifiablePresentation(VcModel):
    """Credentials that a holder shows. Whether it holds, `CredentialVerifier.verify_presentation` tells."""

    base_type = "VerifiablePresentation"
    malformed = Code.MALFORMED_PRESENTATION

    holder: str | None = None
    verifiable_credential: str | list[str]

    @classmethod
    def create(
        cls,
        *,
        holder: str,
        vc_jwts: Sequence[str],
        type: str | Sequence[str] = (),
        additional_data: Mapping[str, Any] | None = None,
        contexts: Sequence[str] = (),
    ) -> Self:
        """A new presentation, not signed yet.

        Parameters:
            holder: the DID of who shows them.
            vc_jwts: credentials as JWTs.
            type: what kind of presentation it is, besides `VerifiablePresentation`.
            additional_data: further properties, such as a `presentation_submission`.
            contexts: the JSON-LD contexts of these.

        Raises:
            InvalidArgument: one of these cannot be used.
        """
        wire = cls._begun(type, contexts)
        wire |= {"holder": party(holder, "holder"), "verifiableCredential": as_list(vc_jwts)}
        taken = sorted(wire.keys() & (additional_data or {}).keys())
        if taken:
            raise InvalidArgument(f"additional_data must not replace {', '.join(taken)}.")
        return cls._finished(wire | dict(additional_data or {}))

    @property
    def vc_jwts(self) -> list[str]:
        """The credentials as JWTs."""
        return as_list(self.verifiable_credential)
