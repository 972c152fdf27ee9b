"""The public names of `@web5/api` 0.12, each with what stands for it here; docs/web5-js.md is made from them.

A row whose second part is a dotted name is checked to exist; one that is a sentence says what replaces the name. A test
compares the first parts with the package's own types, so that none is missing and none is made up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from web5_build.docs.tables import table

VERSION = "0.12"

_CONNECT = "web5.api.web5.Web5.connect"
_CONNECTION = "web5.api.web5.Connection"
_WEB5 = "web5.api.web5.Web5"
_RECORDS = "web5.api.records.records.RecordsApi"
_RECORD = "web5.api.records.record.Record"
_DATA = "web5.api.records.data.RecordData"
_GRANT = "web5.api.permissions.permission_records.PermissionGrant"
_REQUEST = "web5.api.permissions.permission_records.PermissionRequest"
_REVOCATION = "web5.api.permissions.permission_records.GrantRevocation"
_PERMISSIONS = "web5.api.permissions.permissions.PermissionsApi"
_PROTOCOL = "web5.api.protocols.ConfiguredProtocol"
_PROTOCOLS = "web5.api.protocols.ProtocolsApi"
_RESULT = (
    "A call returns what was asked for, and raises a `web5.errors.DwnError` with the status instead of giving one."
)
_REQUESTED = "The arguments of the method, by keyword."
_MODEL = "A type of TypeScript alone; the properties are those of the class."

NAMES: Mapping[str, str] = {
    "Web5": _WEB5,
    "Web5.agent": f"{_WEB5}(agent)",
    "Web5.did": f"{_WEB5}(did)",
    "Web5.dwn": f"{_WEB5}(dwn)",
    "Web5.vc": f"{_WEB5}(vc)",
    "Web5.connect": _CONNECT,
    "Web5.processConnectedGrants": "web5.api.web5.Web5.connect_as_delegate",
    "Web5Params": "Nobody makes a `Web5` but `Web5.connect` and `web5.use(did)`.",
    "Web5ConnectOptions": "The keyword parameters of `Web5.connect`.",
    "Web5ConnectOptions.agent": f"{_CONNECT}(agent)",
    "Web5ConnectOptions.agentVault": "The agent has its vault; `web5.vault` works with it.",
    "Web5ConnectOptions.connectedDid": "web5.api.web5.Web5.use",
    "Web5ConnectOptions.didCreateOptions": f"{_CONNECT}(dwn_endpoints)",
    "Web5ConnectOptions.password": f"{_CONNECT}(password)",
    "Web5ConnectOptions.recoveryPhrase": f"{_CONNECT}(recovery_phrase)",
    "Web5ConnectOptions.registration": f"{_CONNECT}(registration)",
    "Web5ConnectOptions.sync": f"{_CONNECT}(sync)",
    "Web5ConnectOptions.techPreview": f"{_CONNECT}(dwn_endpoints)",
    "Web5ConnectOptions.walletConnectOptions": f"{_CONNECT}(wallet)",
    "Web5ConnectResult": _CONNECTION,
    "Web5ConnectResult.delegateDid": f"{_CONNECTION}(delegate_did)",
    "Web5ConnectResult.did": f"{_CONNECTION}(did)",
    "Web5ConnectResult.recoveryPhrase": f"{_CONNECTION}(recovery_phrase)",
    "Web5ConnectResult.web5": f"{_CONNECTION}(web5)",
    "ConnectOptions": "web5.agent.delegation.connect.app.WalletConnect",
    "ConnectPermissionRequest": "web5.agent.delegation.delegation.ProtocolPermissions",
    "DidCreateOptions": "The parameter `dwn_endpoints` of `Web5.connect`.",
    "TechPreviewOptions": "The parameter `dwn_endpoints` of `Web5.connect`.",
    "DidApi": "web5.api.identities.identities.DidApi",
    "DidApi.create": "web5.api.identities.identities.DidApi.create",
    "DidApi.resolve": "web5.api.identities.identities.DidApi.resolve",
    "DidCreateRequest": f"{_REQUESTED} What `store` keeps, `web5.identities.create` and `import_` keep.",
    "DidCreateResponse": "web5.dids.models.PortableDid",
    "DidResolveResponse": "web5.dids.models.DidResolutionResult",
    "DwnApi": "web5.api.web5.DwnApi",
    "DwnApi.permissions": "web5.api.web5.DwnApi(permissions)",
    "DwnApi.permissions.grant": f"{_PERMISSIONS}.grant",
    "DwnApi.permissions.queryGrants": f"{_PERMISSIONS}.query_grants",
    "DwnApi.permissions.queryRequests": f"{_PERMISSIONS}.query_requests",
    "DwnApi.permissions.request": f"{_PERMISSIONS}.request",
    "DwnApi.protocols": "web5.api.web5.DwnApi(protocols)",
    "DwnApi.protocols.configure": f"{_PROTOCOLS}.configure",
    "DwnApi.protocols.query": f"{_PROTOCOLS}.query",
    "DwnApi.records": "web5.api.web5.DwnApi(records)",
    "DwnApi.records.create": f"{_RECORDS}.create",
    "DwnApi.records.createFrom": f"{_RECORDS}.create_from",
    "DwnApi.records.delete": f"{_RECORDS}.delete",
    "DwnApi.records.query": f"{_RECORDS}.query",
    "DwnApi.records.read": f"{_RECORDS}.read",
    "DwnApi.records.subscribe": f"{_RECORDS}.subscribe",
    "DwnApi.records.write": f"{_RECORDS}.write",
    "FetchGrantsRequest": _REQUESTED,
    "FetchRequestsRequest": _REQUESTED,
    "ProtocolsConfigureRequest": _REQUESTED,
    "ProtocolsConfigureResponse": _RESULT,
    "ProtocolsQueryRequest": _REQUESTED,
    "ProtocolsQueryResponse": _RESULT,
    "RecordsCreateFromRequest": _REQUESTED,
    "RecordsCreateRequest": _REQUESTED,
    "RecordsCreateResponse": _RESULT,
    "RecordsDeleteRequest": _REQUESTED,
    "RecordsQueryRequest": _REQUESTED,
    "RecordsQueryResponse": "web5.api.records.records.Records",
    "RecordsReadRequest": _REQUESTED,
    "RecordsReadResponse": _RESULT,
    "RecordsSubscribeRequest": _REQUESTED,
    "RecordsSubscribeResponse": "web5.api.records.subscriptions.RecordSubscription",
    "RecordsSubscriptionHandler": "A function or `async def` that takes a record; or `async for` over what it gives.",
    "RecordsWriteRequest": _REQUESTED,
    "RecordsWriteResponse": _RESULT,
    "Protocol": _PROTOCOL,
    "Protocol.definition": f"{_PROTOCOL}.definition",
    "Protocol.send": f"{_PROTOCOL}.send",
    "Protocol.toJSON": f"{_PROTOCOL}.to_json",
    "ProtocolMetadata": _MODEL,
    "Record": _RECORD,
    **{
        f"Record.{name}": f"{_RECORD}.{ours}"
        for name, ours in {
            "attestation": "attestation",
            "author": "author",
            "authorization": "authorization",
            "contextId": "context_id",
            "creator": "creator",
            "data": "data",
            "dataCid": "data_cid",
            "dataFormat": "data_format",
            "dataSize": "data_size",
            "dateCreated": "date_created",
            "dateModified": "date_modified",
            "datePublished": "date_published",
            "delete": "delete",
            "deleted": "deleted",
            "encryption": "encryption",
            "id": "id",
            "import": "import_",
            "initialWrite": "initial_write",
            "parentId": "parent_id",
            "protocol": "protocol",
            "protocolPath": "protocol_path",
            "protocolRole": "protocol_role",
            "published": "published",
            "rawMessage": "raw_message",
            "recipient": "recipient",
            "schema": "schema",
            "send": "send",
            "store": "store",
            "tags": "tags",
            "toJSON": "to_json",
            "toString": "__repr__",
            "update": "update",
        }.items()
    },
    "Record.paginationCursor": "The `cursor` of a page that `query` gave; `async for` goes through all pages.",
    "Record.data.blob": f"{_DATA}.blob",
    "Record.data.bytes": f"{_DATA}.bytes",
    "Record.data.json": f"{_DATA}.json",
    "Record.data.stream": f"{_DATA}.stream",
    "Record.data.text": f"{_DATA}.text",
    "Record.data.catch": "`await record.data.stream()` raises.",
    "Record.data.then": "`await record.data.stream()` gives it.",
    "ImmutableRecordProperties": _MODEL,
    "OptionalRecordProperties": _MODEL,
    "RecordModel": _MODEL,
    "RecordOptions": _MODEL,
    "RecordDeleteParams": f"{_RECORD}.delete",
    "RecordUpdateParams": f"{_RECORD}.update",
    "PermissionGrant": _GRANT,
    **{
        f"PermissionGrant.{name}": f"{_GRANT}.{ours}"
        for name, ours in {
            "conditions": "conditions",
            "dateExpires": "date_expires",
            "dateGranted": "date_granted",
            "delegated": "delegated",
            "description": "description",
            "grantee": "grantee",
            "grantor": "grantor",
            "id": "id",
            "isRevoked": "is_revoked",
            "rawMessage": "raw_message",
            "requestId": "request_id",
            "revoke": "revoke",
            "scope": "scope",
            "send": "send",
            "store": "store",
            "toJSON": "to_json",
        }.items()
    },
    "PermissionGrant.import": "`await grant.store(import_=True)`.",
    "PermissionGrant.parse": f"{_PERMISSIONS}.parse",
    "PermissionGrantModel": _MODEL,
    "PermissionGrantOptions": _MODEL,
    "PermissionRequest": _REQUEST,
    **{
        f"PermissionRequest.{name}": f"{_REQUEST}.{ours}"
        for name, ours in {
            "conditions": "conditions",
            "delegated": "delegated",
            "description": "description",
            "grant": "grant",
            "id": "id",
            "rawMessage": "raw_message",
            "requester": "requester",
            "scope": "scope",
            "send": "send",
            "store": "store",
            "toJSON": "to_json",
        }.items()
    },
    "PermissionRequest.parse": f"{_PERMISSIONS}.parse",
    "PermissionRequestModel": _MODEL,
    "PermissionGrantRevocation": _REVOCATION,
    "PermissionGrantRevocation.author": f"{_REVOCATION}.author",
    "PermissionGrantRevocation.parse": f"{_PERMISSIONS}.parse",
    "PermissionGrantRevocation.rawMessage": f"{_REVOCATION}.raw_message",
    "PermissionGrantRevocation.send": f"{_REVOCATION}.send",
    "PermissionGrantRevocation.store": f"{_REVOCATION}.store",
    "GrantRevocationModel": _MODEL,
    "GrantRevocationOptions": _MODEL,
    "SubscriptionUtil": "web5.api.records.subscriptions.RecordSubscription",
    "SubscriptionUtil.recordSubscriptionHandler": "Subscriptions give a `Record` by themselves.",
    "VcApi": "web5.api.vc.VcApi",
    "VcApi.create": "web5.api.vc.VcApi.create",
}
"""The counterpart of each name; "(name)" at the end is an attribute that instances have, or a parameter."""


def web5_js() -> str:
    """Return the text of docs/web5-js.md."""
    return "\n".join(
        [
            "# From @web5/api",
            "",
            "Made from `web5_build.docs.js_api` by `python -m web5_build.docs.rule_docs`; do not edit.",
            "",
            f"Every public name of `@web5/api` {VERSION}, and what stands for it in web5-py; a test compares the left",
            "column with that package's types, and the right one with this package. What a call needs is given by",
            "keyword, in snake_case; what it refuses is raised. Dates are datetimes with a time zone.",
            "",
            *table(("@web5/api", "web5-py"), list(_rows())),
        ]
    )


def is_name(ours: str) -> bool:
    """Return True for a dotted name, False for a sentence."""
    return " " not in ours and not ours.startswith("`")


def _rows() -> Iterator[tuple[str, str]]:
    for theirs, ours in sorted(NAMES.items(), key=lambda row: row[0].lower()):
        yield f"`{theirs}`", f"`{_short(ours)}`" if is_name(ours) else ours


def _short(ours: str) -> str:
    """Return a name without the modules that it is in."""
    path, _, member = ours.rstrip(")").partition("(")
    parts = path.split(".")
    first = next((number for number, part in enumerate(parts) if part[:1].isupper()), 0)
    short = ".".join(parts[first:])
    if member and parts[-1][:1].isupper():
        return f"{short}.{member}"
    return f"{short}({member}=…)" if member else short
