"""The JSON schemas that credentials name (`credentialSchema`; `SsiValidator.validateCredentialSchema`).

Invariants:
1. A schema comes from a stranger: it is looked at before it is used, and a keyword that is not known here makes it
   unusable, rather than being passed over (`web5.vc.schema_shapes`).
2. Looking and checking end: nesting, values and the `$ref` that are followed are bounded. A `pattern` is not: one made
   for that keeps Python's `re` busy for long.
3. `format` is an annotation, as in JSON Schema 2020-12; the reference checks some formats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from web5 import strict_json
from web5.dwn.protocols.json_schema import Fault, fault
from web5.errors import CredentialError
from web5.ports.http import Http
from web5.vc.codes import Code
from web5.vc.fetching import fetch_text
from web5.vc.models import Json, VerifiableCredential
from web5.vc.schema_shapes import problem_of, references_in

MAX_DEPTH = 64
"""Of a credential that is checked by a schema, and of `$ref` within one another."""

MAX_VALUES = 10_000
"""In a credential that is checked by a schema."""

MAX_REFERENCES = 10_000
"""How many `$ref` are followed for one credential."""


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
    problem = "the credential is too large or too deep" if _too_large(credential) else problem_of(schema)
    if problem is not None:
        raise _unsupported(url, problem)
    references = _References(url)
    for reference, target in references_in(schema).items():
        references.add(reference, target)
    found = fault(schema, credential, references.names)
    if found is not None:
        raise CredentialError(Code.SCHEMA_VIOLATION, f"not as {url[:200]} demands: {str(found)[:200]}")


class _References:
    """Follows the `$ref` of a schema, so many and so deep at the most."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._left = MAX_REFERENCES
        self._depth = 0
        self.names: dict[str, Callable[[Any], Fault | None]] = {}

    def add(self, reference: str, target: Any) -> None:
        def find(value: Any) -> Fault | None:
            self._left -= 1
            if self._left < 0 or self._depth >= MAX_DEPTH:
                raise _unsupported(self._url, f"{reference[:100]} leads on and on")
            self._depth += 1
            try:
                return fault(target, value, self.names)
            finally:
                self._depth -= 1

        self.names[reference] = find


def _too_large(value: Any) -> bool:
    level, values = [value], 0
    for _ in range(MAX_DEPTH):
        level = [inner for one in level for inner in _within(one)]
        values += len(level)
        if not level or values > MAX_VALUES:
            return values > MAX_VALUES
    return True


def _within(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


async def _fetch(http: Http, url: str) -> Any:
    try:
        return strict_json.parse(await fetch_text(http, url, Code.SCHEMA_UNAVAILABLE))
    except ValueError as error:
        raise CredentialError(Code.SCHEMA_UNAVAILABLE, f"{url[:200]} is not JSON") from error


def _unsupported(url: str, why: str) -> CredentialError:
    return CredentialError(
        Code.SCHEMA_UNSUPPORTED, f"{url[:200]} cannot be used: {why}; check_schema=False does without"
    )
