"""Why a credential or presentation does not hold: `CredentialError.code`."""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """Apps compare these: a name never changes."""

    MALFORMED_JWT = "malformedJwt"
    """Not a compact JWS with JSON inside. Ask for it again: it was cut off, or is something else."""
    MALFORMED_CREDENTIAL = "malformedCredential"
    """Not of the VC Data Model 1.1. Its issuer has to mend it."""
    MALFORMED_PRESENTATION = "malformedPresentation"
    """Not of the VC Data Model 1.1. Its holder has to mend it."""
    CLAIM_MISMATCH = "claimMismatch"
    """A claim of the JWT contradicts the credential within. Do not trust it."""
    SIGNER_NOT_RESOLVED = "signerNotResolved"
    """The signer's DID document was not found. Try later: the network may be down."""
    SIGNER_DEACTIVATED = "signerDeactivated"
    """The signer's DID is no longer in use. Do not trust it."""
    KEY_NOT_ALLOWED = "keyNotAllowed"
    """The key is not one with which this DID makes such statements. Do not trust it."""
    INVALID_SIGNATURE = "invalidSignature"
    """It was changed, or another key signed it. Do not trust it."""
    NOT_YET_VALID = "notYetValid"
    """It is for later. Compare the clocks, or wait."""
    EXPIRED = "expired"
    """It was for earlier. Ask its issuer for a new one."""
    SCHEMA_UNAVAILABLE = "schemaUnavailable"
    """The credential's schema could not be had. Try later."""
    SCHEMA_UNSUPPORTED = "schemaUnsupported"
    """The schema demands what cannot be checked here. Decide without it: `check_schema=False`."""
    SCHEMA_VIOLATION = "schemaViolation"
    """The credential is not as its schema demands. Its issuer has to mend it."""
    STATUS_UNAVAILABLE = "statusUnavailable"
    """The status list could not be had. Try later."""
    STATUS_UNUSABLE = "statusUnusable"
    """The status list is malformed, of another issuer or for another purpose. Its issuer has to mend it."""
    WRONG_AUDIENCE = "wrongAudience"
    """The presentation is meant for somebody else. Ask its holder for one that names you."""
    WRONG_NONCE = "wrongNonce"
    """The presentation does not answer this request; it may be an old one. Ask anew."""
