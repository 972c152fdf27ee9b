"""The JSON schemas that credentials name (`credentialSchema`; `SsiValidator.validateCredentialSchema`).

A schema that is unavailable or not understood is never passed over. `format` is an annotation, as in JSON Schema
2020-12; the reference checks some formats.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from web5 import strict_json
from web5.errors import CredentialError
from web5.vc.codes import Code
from web5.vc.models import Json, VerifiableCredential, as_list
from web5.vc.schema_check import UnusableSchema, fault_by

Fetch = Callable[[str, Code], Awaitable[str]]
"""Returns the text at a URL, or raises CredentialError with the given code."""


async def check_schemas(credential: VerifiableCredential, fetch: Fetch) -> None:
    """Check a credential against the schemas that it names.

    Raises:
        CredentialError: schemaViolation; schemaUnavailable or schemaUnsupported, if it cannot be checked.
    """
    for entry in as_list(credential.credential_schema or []):
        url = entry.get("id")
        if not isinstance(url, str):
            raise CredentialError(Code.MALFORMED_CREDENTIAL, "credentialSchema has no text id")
        if entry.get("type") == "JsonSchemaCredential":
            raise _unsupported(url, "schemas within credentials are not known here")
        text = await fetch(url, Code.SCHEMA_UNAVAILABLE)
        try:
            schema = strict_json.parse(text)
        except ValueError as error:
            raise CredentialError(Code.SCHEMA_UNAVAILABLE, f"{url[:200]} is not JSON") from error
        check_schema(credential.to_wire(), schema, url)


def check_schema(credential: Json, schema: Any, url: str) -> None:
    """Check a credential against a JSON schema.

    Parameters:
        url: names the schema in errors.

    Raises:
        CredentialError: schemaViolation, or schemaUnsupported if it cannot be checked.
    """
    try:
        found = fault_by(schema, credential)
    except UnusableSchema as error:
        raise _unsupported(url, str(error)) from error
    if found is not None:
        raise CredentialError(Code.SCHEMA_VIOLATION, f"not as {url[:200]} demands: {str(found)[:200]}")


def _unsupported(url: str, why: str) -> CredentialError:
    return CredentialError(
        Code.SCHEMA_UNSUPPORTED, f"{url[:200]} cannot be used: {why}; check_schema=False does without"
    )
