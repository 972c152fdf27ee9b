"""The JSON schemas that credentials name (`credentialSchema`; `SsiValidator.validateCredentialSchema`).

A schema that cannot be had or understood is never passed over. `format` is an annotation, as in JSON Schema 2020-12;
the reference checks some formats.
"""

from __future__ import annotations

from typing import Any

from web5 import strict_json
from web5.errors import CredentialError
from web5.ports.http import Http
from web5.vc.codes import Code
from web5.vc.credential import VerifiableCredential
from web5.vc.fetching import fetch_text
from web5.vc.models import Json
from web5.vc.schema_check import UnusableSchema, fault_by


async def check_schemas(credential: VerifiableCredential, http: Http) -> None:
    """See whether a credential is as the schemas demand that it names.

    Raises:
        CredentialError: schemaViolation; or schemaUnavailable or schemaUnsupported, if that cannot be told.
    """
    named = credential.credential_schema
    for entry in named if isinstance(named, list) else [named] if named else []:
        url = entry.get("id")
        if not isinstance(url, str):
            raise CredentialError(Code.MALFORMED_CREDENTIAL, "credentialSchema has no text id")
        if entry.get("type") == "JsonSchemaCredential":
            raise _unsupported(url, "schemas within credentials are not known here")
        check_schema(credential.to_wire(), await _fetch(http, url), url)


def check_schema(credential: Json, schema: Any, url: str) -> None:
    """See whether a credential is as a JSON schema demands.

    Parameters:
        url: names the schema in errors.

    Raises:
        CredentialError: schemaViolation, or schemaUnsupported if that cannot be told.
    """
    try:
        found = fault_by(schema, credential)
    except UnusableSchema as error:
        raise _unsupported(url, str(error)) from error
    if found is not None:
        raise CredentialError(Code.SCHEMA_VIOLATION, f"not as {url[:200]} demands: {str(found)[:200]}")


async def _fetch(http: Http, url: str) -> Any:
    try:
        return strict_json.parse(await fetch_text(http, url, Code.SCHEMA_UNAVAILABLE))
    except ValueError as error:
        raise CredentialError(Code.SCHEMA_UNAVAILABLE, f"{url[:200]} is not JSON") from error


def _unsupported(url: str, why: str) -> CredentialError:
    return CredentialError(
        Code.SCHEMA_UNSUPPORTED, f"{url[:200]} cannot be used: {why}; check_schema=False does without"
    )
