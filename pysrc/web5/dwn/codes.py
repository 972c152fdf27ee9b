"""The error codes of the wire, as far as this engine gives them.

They are the `DwnErrorCode` of dwn-sdk-js 0.5.2 (`src/core/dwn-error.ts`). Clients compare them: a name never changes.
"""

from __future__ import annotations

from enum import StrEnum, auto


class Code(StrEnum):
    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[str]) -> str:
        return name

    AuthenticateDescriptorCidMismatch = auto()
    AuthenticateJwsMissing = auto()
    AuthenticationMoreThanOneSignatureNotSupported = auto()
    GeneralJwsVerifierGetPublicKeyNotFound = auto()
    GeneralJwsVerifierInvalidSignature = auto()
    GrantAuthorizationGrantMissing = auto()
    JwsDecodePlainObjectPayloadInvalid = auto()
    JwsVerifySignatureUnsupportedCrv = auto()
    MessagesQueryAuthorizationFailed = auto()
    MessagesReadAuthorizationFailed = auto()
    MessagesReadInvalidCid = auto()
    ProtocolAuthorizationProtocolNotFound = auto()
    RecordsAuthorDelegatedGrantAndIdExistenceMismatch = auto()
    RecordsDeleteAuthorizationFailed = auto()
    RecordsOwnerDelegatedGrantAndIdExistenceMismatch = auto()
    RecordsQueryCreateFilterPublishedSortInvalid = auto()
    RecordsQueryFilterMissingRequiredProperties = auto()
    RecordsQueryParseFilterPublishedSortInvalid = auto()
    RecordsReadAuthorizationFailed = auto()
    RecordsReadReturnedMultiple = auto()
    RecordsWriteAttestationIntegrityDescriptorCidMismatch = auto()
    RecordsWriteAttestationIntegrityInvalidPayloadProperty = auto()
    RecordsWriteAttestationIntegrityMoreThanOneSignature = auto()
    RecordsWriteAuthorizationFailed = auto()
    RecordsWriteCreateDataAndDataCidMutuallyExclusive = auto()
    RecordsWriteCreateDataCidAndDataSizeMutuallyInclusive = auto()
    RecordsWriteCreateProtocolAndProtocolPathMutuallyInclusive = auto()
    RecordsWriteDataCidMismatch = auto()
    RecordsWriteDataSizeMismatch = auto()
    RecordsWriteGetInitialWriteNotFound = auto()
    RecordsWriteImmutablePropertyChanged = auto()
    RecordsWriteMissingDataInPrevious = auto()
    RecordsWriteMissingEncodedDataInPrevious = auto()
    RecordsWriteNotAllowedAfterDelete = auto()
    RecordsWriteOwnerAndTenantMismatch = auto()
    RecordsWriteValidateIntegrityAttestationMismatch = auto()
    RecordsWriteValidateIntegrityContextIdMismatch = auto()
    RecordsWriteValidateIntegrityContextIdNotInSignerSignaturePayload = auto()
    RecordsWriteValidateIntegrityDateCreatedMismatch = auto()
    RecordsWriteValidateIntegrityEncryptionCidMismatch = auto()
    RecordsWriteValidateIntegrityRecordIdUnauthorized = auto()
    SchemaValidatorAdditionalPropertyNotAllowed = auto()
    SchemaValidatorFailure = auto()
    SchemaValidatorSchemaNotFound = auto()
    SchemaValidatorUnevaluatedPropertyNotAllowed = auto()
    TimestampInvalid = auto()
    UrlProtocolNotNormalizable = auto()
    UrlProtocolNotNormalized = auto()
    UrlSchemaNotNormalized = auto()
