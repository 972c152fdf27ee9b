"""Verifiable credentials and presentations as JWTs (VC Data Model 1.1), compatible with @web5/credentials 1.1.3.

Apps use it through `web5.vc` of a connected `Web5` (`web5.api.vc`). May import `ports`, `crypto`, `dids` and `dwn`; it
needs neither an agent nor a node.
"""

from web5.vc.codes import Code
from web5.vc.models import VerifiableCredential, VerifiablePresentation
from web5.vc.signing import (
    credential_signer,
    parse_credential,
    parse_presentation,
    sign_credential,
    sign_presentation,
)
from web5.vc.verifier import CredentialVerifier, VerifiedPresentation

__all__ = [
    "Code",
    "CredentialVerifier",
    "VerifiableCredential",
    "VerifiablePresentation",
    "VerifiedPresentation",
    "credential_signer",
    "parse_credential",
    "parse_presentation",
    "sign_credential",
    "sign_presentation",
]
