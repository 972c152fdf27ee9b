"""Verifiable credentials and presentations as JWTs (VC Data Model 1.1), as @web5/credentials 1.1.3 makes them.

What apps call is `web5.vc` of a connected `Web5` (`web5.api.vc`); this package needs neither an agent nor a DWN.
"""

from web5.vc.codes import Code
from web5.vc.credential import VerifiableCredential
from web5.vc.keys import credential_signer
from web5.vc.presentation import VerifiablePresentation
from web5.vc.signing import parse_credential, parse_presentation, sign_credential, sign_presentation
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
