"""The ways out: what an app, or its author, does about each error code of the wire."""

from __future__ import annotations

from collections.abc import Mapping

from web5.dwn.codes import Code

_SIGNED_ELSEWHERE = "mend how the message is made or signed; `web5` makes none like this"
_NARROWER = "ask its owner for a grant that fits (`web5.delegation`), or ask for less"
_ANOTHER_GRANT = "name another grant, or none"
_DEFINITION = "correct the definition, and configure it again"
_RECORD = "correct what is given to `create`, or the definition"
_NOT_FOR_YOU = "ask the owner for a role, a grant or an action rule; the owner may do everything"
_CLOCK = "correct this device's clock; `clock_ahead` of a node in `web5.sync.status()` says by how much it is wrong"

GROUPS: Mapping[str, tuple[Code, ...]] = {
    _SIGNED_ELSEWHERE: (
        Code.AuthenticateDescriptorCidMismatch,
        Code.AuthenticationMoreThanOneSignatureNotSupported,
        Code.JwsDecodePlainObjectPayloadInvalid,
        Code.JwsVerifySignatureUnsupportedCrv,
        Code.MessagesReadInvalidCid,
        Code.MessagesReplicateCidMismatch,
        Code.PermissionsProtocolValidateRevocationProtocolTagMismatch,
        Code.PermissionsProtocolValidateSchemaUnexpectedRecord,
        Code.PermissionsProtocolValidateScopeMissingProtocolTag,
        Code.PermissionsProtocolValidateScopeProtocolMismatch,
        Code.RecordsAuthorDelegatedGrantAndIdExistenceMismatch,
        Code.RecordsAuthorDelegatedGrantCidMismatch,
        Code.RecordsAuthorDelegatedGrantGrantedToAndOwnerSignatureMismatch,
        Code.RecordsOwnerDelegatedGrantAndIdExistenceMismatch,
        Code.RecordsOwnerDelegatedGrantCidMismatch,
        Code.RecordsOwnerDelegatedGrantGrantedToAndOwnerSignatureMismatch,
        Code.RecordsWriteAttestationIntegrityDescriptorCidMismatch,
        Code.RecordsWriteAttestationIntegrityInvalidPayloadProperty,
        Code.RecordsWriteAttestationIntegrityMoreThanOneSignature,
        Code.RecordsWriteValidateIntegrityAttestationMismatch,
        Code.RecordsWriteValidateIntegrityContextIdMismatch,
        Code.RecordsWriteValidateIntegrityContextIdNotInSignerSignaturePayload,
        Code.RecordsWriteValidateIntegrityDateCreatedMismatch,
        Code.RecordsWriteValidateIntegrityEncryptionCidMismatch,
        Code.RecordsWriteValidateIntegrityRecordIdUnauthorized,
        Code.SchemaValidatorAdditionalPropertyNotAllowed,
        Code.SchemaValidatorUnevaluatedPropertyNotAllowed,
    ),
    "sign it: connect, and ask as that DID": (Code.AuthenticateJwsMissing,),
    "wait until the signer's DID is published in its newest state, then send it again": (
        Code.GeneralJwsVerifierGetPublicKeyNotFound,
        Code.GeneralJwsVerifierInvalidSignature,
    ),
    "ask for a new one: `web5.delegation`": (
        Code.GrantAuthorizationGrantExpired,
        Code.GrantAuthorizationGrantRevoked,
    ),
    "send the grant to that DWN first: `grant.send()`": (Code.GrantAuthorizationGrantMissing,),
    _CLOCK: (Code.GrantAuthorizationGrantNotYetActive, Code.TimestampAhead, Code.TimestampOutsideWindow),
    _ANOTHER_GRANT: (
        Code.GrantAuthorizationInterfaceMismatch,
        Code.GrantAuthorizationMethodMismatch,
        Code.GrantAuthorizationNotGrantedForTenant,
        Code.GrantAuthorizationNotGrantedToAuthor,
        Code.RecordsAuthorDelegatedGrantNotADelegatedGrant,
        Code.RecordsOwnerDelegatedGrantNotADelegatedGrant,
    ),
    _NARROWER: (
        Code.MessagesGrantAuthorizationMismatchedProtocol,
        Code.MessagesReadVerifyScopeFailed,
        Code.ProtocolsGrantAuthorizationQueryProtocolScopeMismatch,
        Code.ProtocolsGrantAuthorizationScopeProtocolMismatch,
        Code.RecordsGrantAuthorizationDeleteProtocolScopeMismatch,
        Code.RecordsGrantAuthorizationQueryOrSubscribeProtocolScopeMismatch,
        Code.RecordsGrantAuthorizationScopeContextIdMismatch,
        Code.RecordsGrantAuthorizationScopeProtocolMismatch,
        Code.RecordsGrantAuthorizationScopeProtocolPathMismatch,
    ),
    "write it with `published=True`": (Code.RecordsGrantAuthorizationConditionPublicationRequired,),
    "write it without `published`": (Code.RecordsGrantAuthorizationConditionPublicationProhibited,),
    "ask as the tenant, or get a grant": (
        Code.MessagesHistoryAuthorizationFailed,
        Code.MessagesQueryAuthorizationFailed,
        Code.MessagesReplicateAuthorizationFailed,
        Code.MessagesSubscribeAuthorizationFailed,
        Code.ProtocolsConfigureAuthorizationFailed,
        Code.ProtocolsQueryUnauthorized,
    ),
    "subscribe over a WebSocket, or query from time to time": (
        Code.MessagesSubscribeEventStreamUnimplemented,
        Code.RecordsSubscribeEventStreamUnimplemented,
    ),
    "give the scope a protocol": (
        Code.PermissionsProtocolCreateGrantRecordsScopeMissingProtocol,
        Code.PermissionsProtocolCreateRequestRecordsScopeMissingProtocol,
    ),
    "leave one of the two out": (Code.PermissionsProtocolValidateScopeContextIdProhibitedProperties,),
    _NOT_FOR_YOU: (
        Code.ProtocolAuthorizationActionNotAllowed,
        Code.ProtocolAuthorizationActionRulesNotFound,
        Code.RecordsDeleteAuthorizationFailed,
        Code.RecordsReadAuthorizationFailed,
        Code.RecordsWriteAuthorizationFailed,
    ),
    "ask the owner for the role; a new one reaches a node with the owner's next sync": (
        Code.ProtocolAuthorizationMatchingRoleRecordNotFound,
    ),
    "give the context: `parent=`, or `context_id=`": (Code.ProtocolAuthorizationMissingContextId,),
    "name a role of this protocol: `role=`, or `protocol_role=` with its path": (Code.ProtocolAuthorizationNotARole,),
    "write or send the records above it first": (
        Code.ProtocolAuthorizationParentNotFoundConstructingRecordChain,
        Code.ProtocolAuthorizationIncorrectContextId,
    ),
    "configure it there: `protocols.configure`, and `send` or sync; in another's DWN, its owner has to": (
        Code.ProtocolAuthorizationProtocolNotFound,
    ),
    "delete the role's other record first, if it is to be given anew": (
        Code.ProtocolAuthorizationDuplicateRoleRecipient,
    ),
    "give it a `recipient`": (Code.ProtocolAuthorizationRoleMissingRecipient,),
    "give `parent=` (or `parent_context_id=`) and the whole path, such as `list/item`": (
        Code.ProtocolAuthorizationIncorrectProtocolPath,
        Code.ProtocolAuthorizationParentlessIncorrectProtocolPath,
    ),
    "give `data_format` as the type of the protocol has it": (Code.ProtocolAuthorizationIncorrectDataFormat,),
    "give `schema` as the type of the protocol has it": (Code.ProtocolAuthorizationInvalidSchema,),
    "give data that are within `$size`, or keep the rest in records of their own": (
        Code.ProtocolAuthorizationMaxSizeInvalid,
        Code.ProtocolAuthorizationMinSizeInvalid,
    ),
    _RECORD: (
        Code.ProtocolAuthorizationInvalidType,
        Code.ProtocolAuthorizationMissingRuleSet,
        Code.ProtocolAuthorizationTagsInvalidSchema,
    ),
    _DEFINITION: (
        Code.ProtocolsConfigureDuplicateActorInRuleSet,
        Code.ProtocolsConfigureDuplicateRoleInRuleSet,
        Code.ProtocolsConfigureInvalidActionDeleteWithoutCreate,
        Code.ProtocolsConfigureInvalidActionMissingOf,
        Code.ProtocolsConfigureInvalidActionOfNotAllowed,
        Code.ProtocolsConfigureInvalidActionUpdateWithoutCreate,
        Code.ProtocolsConfigureInvalidRecipientOfAction,
        Code.ProtocolsConfigureInvalidRuleSetRecordType,
        Code.ProtocolsConfigureInvalidSize,
        Code.ProtocolsConfigureInvalidTagSchema,
        Code.ProtocolsConfigureRecordNestingDepthExceeded,
        Code.ProtocolsConfigureRoleDoesNotExistAtGivenPath,
        Code.ProtocolsConfigureRoleReadActionMissing,
    ),
    "sort by creation, or ask for what is published": (
        Code.RecordsQueryCreateFilterPublishedSortInvalid,
        Code.RecordsQueryParseFilterPublishedSortInvalid,
    ),
    "add `protocol_path` to the filter": (
        Code.RecordsQueryFilterMissingRequiredProperties,
        Code.RecordsSubscribeFilterMissingRequiredProperties,
    ),
    "query, and read one by its ID": (Code.RecordsReadReturnedMultiple,),
    "give one of the two": (Code.RecordsWriteCreateDataAndDataCidMutuallyExclusive,),
    "give both": (
        Code.RecordsWriteCreateDataCidAndDataSizeMutuallyInclusive,
        Code.RecordsWriteCreateProtocolAndProtocolPathMutuallyInclusive,
    ),
    "send the data again as they were when the record was written; a file may have changed meanwhile": (
        Code.RecordsWriteDataCidMismatch,
        Code.RecordsWriteDataSizeMismatch,
    ),
    "send the record's first message first, as `record.send` does": (
        Code.RecordsWriteGetInitialWriteNotFound,
        Code.RecordsWriteGetNewestWriteRecordNotFound,
    ),
    "send the data along": (
        Code.RecordsWriteMissingDataInPrevious,
        Code.RecordsWriteMissingEncodedDataInPrevious,
    ),
    "write another record: `records.create_from`": (
        Code.RecordsWriteImmutablePropertyChanged,
        Code.RecordsWriteNotAllowedAfterDelete,
    ),
    "send it to the DWN of the one who signed": (Code.RecordsWriteOwnerAndTenantMismatch,),
    "have the author sign it first": (
        Code.RecordsWriteSignAsOwnerDelegateUnknownAuthor,
        Code.RecordsWriteSignAsOwnerUnknownAuthor,
    ),
    "correct what the path in the detail names": (Code.SchemaValidatorFailure,),
    "send it to a DWN that is newer, or of another kind": (Code.SchemaValidatorSchemaNotFound,),
    "give dates as datetimes with a time zone": (Code.TimestampInvalid,),
    "give it in that form": (
        Code.UrlProtocolNotNormalizable,
        Code.UrlProtocolNotNormalized,
        Code.UrlSchemaNotNormalized,
    ),
}

WAYS_OUT: Mapping[Code, str] = {code: todo for todo, codes in GROUPS.items() for code in codes}
"""The way out of each code."""
