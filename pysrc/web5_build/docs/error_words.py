"""The meanings of the error codes of the wire for which no table of rules has one."""

from __future__ import annotations

from collections.abc import Mapping

from web5.dwn.codes import Code

MEANINGS: Mapping[Code, str] = {
    Code.AuthenticateDescriptorCidMismatch: "the signature is over the CID of this descriptor",
    Code.AuthenticateJwsMissing: "the message is signed; only what is published can be asked for without a signature",
    Code.AuthenticationMoreThanOneSignatureNotSupported: "the authorization has one signature",
    Code.GeneralJwsVerifierGetPublicKeyNotFound: "the key that signed is in the signer's DID document",
    Code.GeneralJwsVerifierInvalidSignature: "the signature is made by that key, and the signer's DID can be resolved",
    Code.GrantAuthorizationGrantMissing: "the grant that is named is in the DWN that is asked",
    Code.JwsDecodePlainObjectPayloadInvalid: "what is signed is a JSON object",
    Code.JwsVerifySignatureUnsupportedCrv: "the key that signs is of a curve that DWNs know",
    Code.MessagesHistoryAuthorizationFailed: "the tenant asks",
    Code.MessagesQueryAuthorizationFailed: "the tenant asks, or a delegate with a grant for MessagesQuery",
    Code.MessagesReadInvalidCid: "`messageCid` is a CID",
    Code.MessagesReplicateAuthorizationFailed: "the tenant sends it",
    Code.MessagesReplicateCidMismatch: "the message has the CID that is signed",
    Code.MessagesSubscribeAuthorizationFailed: "the tenant asks, or a delegate with a grant for MessagesSubscribe",
    Code.MessagesSubscribeEventStreamUnimplemented: "there is a way for events: a WebSocket, or a handler",
    Code.PermissionsProtocolCreateGrantRecordsScopeMissingProtocol: "the scope of a grant for records has a protocol",
    Code.PermissionsProtocolCreateRequestRecordsScopeMissingProtocol: (
        "the scope of a request for records has a protocol"
    ),
    Code.PermissionsProtocolValidateRevocationProtocolTagMismatch: (
        "a revocation has the protocol of its grant in the tag `protocol`"
    ),
    Code.PermissionsProtocolValidateSchemaUnexpectedRecord: (
        "a record of the permissions protocol is a request, a grant or a revocation"
    ),
    Code.PermissionsProtocolValidateScopeContextIdProhibitedProperties: (
        "a scope has a `contextId` or a `protocolPath`, not both"
    ),
    Code.PermissionsProtocolValidateScopeMissingProtocolTag: "the scope's protocol is in the tag `protocol`, too",
    Code.PermissionsProtocolValidateScopeProtocolMismatch: "the tag `protocol` is the protocol of the scope",
    Code.ProtocolAuthorizationActionNotAllowed: "an action rule at the protocol path lets this author do this",
    Code.ProtocolAuthorizationActionRulesNotFound: "the protocol path has action rules; without any, it is the owner's",
    Code.ProtocolAuthorizationMatchingRoleRecordNotFound: (
        "whoever invokes a role is the recipient of a record of that role, in this context"
    ),
    Code.ProtocolAuthorizationMissingContextId: "who asks with a role of a context names the context",
    Code.ProtocolAuthorizationNotARole: "the path that is invoked as a role is one (`$role`)",
    Code.ProtocolAuthorizationParentNotFoundConstructingRecordChain: "all records above this one are there",
    Code.ProtocolAuthorizationProtocolNotFound: "the protocol is configured in the DWN that is asked",
    Code.ProtocolsConfigureAuthorizationFailed: "the tenant configures, or a delegate with a grant for it",
    Code.ProtocolsConfigureInvalidRuleSetRecordType: "every name in `structure` is one in `types`",
    Code.ProtocolsConfigureInvalidSize: "the `max` of `$size` is not less than its `min`",
    Code.ProtocolsConfigureInvalidTagSchema: "each schema in `$tags` is a JSON Schema",
    Code.ProtocolsConfigureRecordNestingDepthExceeded: "`structure` is ten levels deep at the most",
    Code.ProtocolsQueryUnauthorized: "the tenant asks, or a delegate with a grant; others see what is published",
    Code.RecordsAuthorDelegatedGrantAndIdExistenceMismatch: (
        "the author's signature names a delegated grant if one comes along, and only then"
    ),
    Code.RecordsAuthorDelegatedGrantCidMismatch: "the grant that comes along is the one that the author has signed",
    Code.RecordsAuthorDelegatedGrantGrantedToAndOwnerSignatureMismatch: "the delegated grant is for the one who signed",
    Code.RecordsAuthorDelegatedGrantNotADelegatedGrant: "the grant lets its grantee sign as the grantor (`delegated`)",
    Code.RecordsDeleteAuthorizationFailed: "the tenant deletes; others only records of a protocol that lets them",
    Code.RecordsOwnerDelegatedGrantAndIdExistenceMismatch: (
        "the owner's signature names a delegated grant if one comes along, and only then"
    ),
    Code.RecordsOwnerDelegatedGrantCidMismatch: "the grant that comes along is the one that the owner has signed",
    Code.RecordsOwnerDelegatedGrantGrantedToAndOwnerSignatureMismatch: "the delegated grant is for the one who signed",
    Code.RecordsOwnerDelegatedGrantNotADelegatedGrant: "the grant lets its grantee sign as the grantor (`delegated`)",
    Code.RecordsQueryCreateFilterPublishedSortInvalid: "what is not published is not sorted by its publication",
    Code.RecordsQueryFilterMissingRequiredProperties: "a question with a role has the protocol path in its filter",
    Code.RecordsQueryParseFilterPublishedSortInvalid: "what is not published is not sorted by its publication",
    Code.RecordsReadAuthorizationFailed: (
        "the record is published, or the reader's: the tenant's, its author's, its recipient's, or one with a grant"
    ),
    Code.RecordsReadReturnedMultiple: "one record fits the filter",
    Code.RecordsSubscribeEventStreamUnimplemented: "there is a way for events: a WebSocket, or a handler",
    Code.RecordsSubscribeFilterMissingRequiredProperties: "a question with a role has the protocol path in its filter",
    Code.RecordsWriteAttestationIntegrityDescriptorCidMismatch: "the attester has signed this descriptor",
    Code.RecordsWriteAttestationIntegrityInvalidPayloadProperty: "the attester has signed `descriptorCid` alone",
    Code.RecordsWriteAttestationIntegrityMoreThanOneSignature: "there is one attester at the most",
    Code.RecordsWriteAuthorizationFailed: (
        "the tenant writes, or has signed as the owner; others only with a grant or by a protocol's rules"
    ),
    Code.RecordsWriteCreateDataAndDataCidMutuallyExclusive: "data are given, or their CID, not both",
    Code.RecordsWriteCreateDataCidAndDataSizeMutuallyInclusive: "the CID of data comes with their size",
    Code.RecordsWriteCreateProtocolAndProtocolPathMutuallyInclusive: "`protocol` and `protocol_path` come together",
    Code.RecordsWriteDataCidMismatch: "the data are those whose CID is signed",
    Code.RecordsWriteDataSizeMismatch: "the data are as long as is signed",
    Code.RecordsWriteGetInitialWriteNotFound: "the first message of the record is there",
    Code.RecordsWriteGetNewestWriteRecordNotFound: "the record that is deleted with a grant is there",
    Code.RecordsWriteMissingDataInPrevious: "a message without data has the data of the one before, which are there",
    Code.RecordsWriteMissingEncodedDataInPrevious: (
        "a message without data has the data of the one before, which are there"
    ),
    Code.RecordsWriteImmutablePropertyChanged: "an update changes only what may change: [](rules.md) has it",
    Code.RecordsWriteNotAllowedAfterDelete: "the record is not deleted",
    Code.RecordsWriteOwnerAndTenantMismatch: "who signs as the owner is the tenant",
    Code.RecordsWriteSignAsOwnerDelegateUnknownAuthor: "the author signs before the owner's delegate does",
    Code.RecordsWriteSignAsOwnerUnknownAuthor: "the author signs before the owner does",
    Code.RecordsWriteValidateIntegrityAttestationMismatch: "the attestation is the one that the author has signed",
    Code.RecordsWriteValidateIntegrityContextIdMismatch: "the context of a record at the root is its own ID",
    Code.RecordsWriteValidateIntegrityContextIdNotInSignerSignaturePayload: (
        "the context ID is the one that the author has signed"
    ),
    Code.RecordsWriteValidateIntegrityDateCreatedMismatch: "the first message of a record is dated when it was created",
    Code.RecordsWriteValidateIntegrityEncryptionCidMismatch: (
        "the property `encryption` is the one that the author has signed"
    ),
    Code.RecordsWriteValidateIntegrityRecordIdUnauthorized: "the record ID is the one that the author has signed",
    Code.SchemaValidatorAdditionalPropertyNotAllowed: "the message has no property that its kind does not know",
    Code.SchemaValidatorFailure: "the message has the shape of its kind; the detail has the path and the demand",
    Code.SchemaValidatorSchemaNotFound: "the DWN knows this interface and method",
    Code.SchemaValidatorUnevaluatedPropertyNotAllowed: "the message has no property that its kind does not know",
    Code.TimestampAhead: "a message is not dated ahead of the node's clock",
    Code.TimestampInvalid: "dates are ISO 8601 in UTC, with six digits of microseconds",
    Code.TimestampOutsideWindow: "a signed question is dated by the node's clock, give or take ten minutes",
    Code.UrlProtocolNotNormalizable: "the protocol is a URI",
    Code.UrlProtocolNotNormalized: "the protocol is in normal form: with a scheme, without a slash at the end",
    Code.UrlSchemaNotNormalized: "the schema is in normal form: with a scheme, without a slash at the end",
}
"""The conditions for which no table of rules has a row, in the words of those tables."""
