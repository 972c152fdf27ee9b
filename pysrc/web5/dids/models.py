"""DID documents, resolution results and portable DIDs (DID Core 1.0; `@web5/dids` `types/`).

Attributes are in snake_case, JSON has the wire's names: `from_wire` builds a model from JSON, `to_wire` returns JSON
without the members that were never set. Members that are not named here are kept unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, ValidationError
from pydantic.alias_generators import to_camel

from web5.dids.uri import absolute_url
from web5.errors import DidError, Web5Error, first_error
from web5.ports.crypto import Jwk
from web5.urls import normal_endpoint


class WireModel(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="allow",
        strict=True,
        defer_build=True,  # a browser's start is quicker if a model is built when it is first used
    )

    @classmethod
    def from_wire(cls, value: Any) -> Self:
        """Build the model from a JSON value.

        Raises:
            DidError: invalidDidDocument, it has not the shape; the message says where.
        """
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            raise cls.malformed(first_error(error)) from error

    @classmethod
    def malformed(cls, problem: str) -> Web5Error:
        """Return the exception for a value that has not the shape."""
        return DidError("invalidDidDocument", f"{cls.__name__} {problem}")

    def to_wire(self) -> dict[str, Any]:
        """Return the wire's JSON shape, as plain dicts."""
        return self.model_dump(by_alias=True, exclude_unset=True)


_Part = TypeVar("_Part")
_Nested = Annotated[_Part, PlainSerializer(lambda part: None if part is None else part.to_wire())]
"""A part whose members that were never set are left out, though the whole has all of its own."""


class VerificationMethod(WireModel):
    id: str
    type: str
    controller: str
    public_key_jwk: Jwk | None = None
    public_key_multibase: str | None = None


class Service(WireModel):
    """A service. `service_endpoint` is a URL, a mapping, or a list of these (DID Core, section 5.4)."""

    id: str
    type: str
    service_endpoint: str | dict[str, Any] | list[str | dict[str, Any]]

    @property
    def urls(self) -> list[str]:
        """The URLs of the endpoint: `"URL"`, `{"uri": …}`, `{"nodes": […]}` or a list of these; the rest is left out.

        Source: DIF DWN, "Service Endpoints". Documents have had all of these forms.
        """
        return list(_urls(self.service_endpoint))


def _urls(endpoint: Any, depth: int = 0) -> Iterator[str]:
    match endpoint:
        case str():
            yield endpoint
        case {"nodes": list(several)} | list(several) if depth < _DEEPEST:
            for one in several:
                yield from _urls(one, depth + 1)
        case {"uri": str(uri)}:
            yield uri


_DEEPEST = 3
"""Lists in each other: a mapping of nodes, in a list, is the deepest that was ever seen."""


DWN_SERVICE = "DecentralizedWebNode"
"""The type of a service that names DWNs."""

MOST_NODES = 64
"""DWNs of one DID that are asked: a document of did:dht has room for fewer, one of did:web for a million."""

Relationship = list[str | VerificationMethod]

RELATIONSHIPS = {
    "authentication": "authentication",
    "assertionMethod": "assertion_method",
    "keyAgreement": "key_agreement",
    "capabilityInvocation": "capability_invocation",
    "capabilityDelegation": "capability_delegation",
}
"""Verification relationships (DID Core, section 5.3), in the reference's order: the wire's name and the attribute's."""


class DidDocument(WireModel):
    id: str
    context: Annotated[Any, Field(alias="@context")] = None
    also_known_as: list[str] | None = None
    controller: str | list[str] | None = None
    verification_method: list[VerificationMethod] | None = None
    authentication: Relationship | None = None
    assertion_method: Relationship | None = None
    key_agreement: Relationship | None = None
    capability_invocation: Relationship | None = None
    capability_delegation: Relationship | None = None
    service: list[Service] | None = None

    @property
    def verification_methods(self) -> list[VerificationMethod]:
        """All verification methods, those embedded in a relationship included."""
        found = list(self.verification_method or ())
        for attribute in RELATIONSHIPS.values():
            found += [entry for entry in getattr(self, attribute) or () if isinstance(entry, VerificationMethod)]
        return found

    def find_method(self, reference: str) -> VerificationMethod | None:
        """Return the verification method that `did:…#id`, `#id` or `id` refers to, or None."""
        wanted = self.absolute(reference)
        return next((method for method in self.verification_methods if self.absolute(method.id) == wanted), None)

    def find_service(self, reference: str) -> Service | None:
        """Return the service that `did:…#id`, `#id` or `id` refers to, or None."""
        wanted = self.absolute(reference)
        return next((service for service in self.service or () if self.absolute(service.id) == wanted), None)

    def methods_for(self, *relationships: str) -> dict[str, VerificationMethod | None]:
        """Return the verification methods in any of these relationships by absolute DID URL, in order.

        None stands for one that the document refers to but does not have.
        """
        found: dict[str, VerificationMethod | None] = {}
        for name in relationships:
            for entry in getattr(self, RELATIONSHIPS[name]) or ():
                if isinstance(entry, str):
                    found[self.absolute(entry)] = self.find_method(entry)
                else:
                    found[self.absolute(entry.id)] = entry
        return found

    def absolute(self, reference: str) -> str:
        """Return the absolute DID URL of a reference in this document."""
        return absolute_url(self.id, reference)

    @property
    def dwn_services(self) -> list[Service]:
        """The services that name DWNs, whatever their ids; `#dwn` and `#node` are usual."""
        return [service for service in self.service or () if service.type == DWN_SERVICE]

    @property
    def dwn_endpoints(self) -> list[str]:
        """The HTTP URLs of the subject's DWNs in normal form, in the document's order, each once; `MOST_NODES` of them.

        One node has one address: everything that is kept or counted for a node is under this form of its URL.
        """
        urls = (normal_endpoint(url) for service in self.dwn_services for url in service.urls)
        return list(dict.fromkeys(url for url in urls if url is not None))[:MOST_NODES]


@dataclass(frozen=True)
class Resolved:
    """A document that a DID method found.

    Parameters:
        ttl: seconds for which its publisher lets it be cached, or None.
        resolution: additional resolution metadata.
    """

    document: DidDocument
    metadata: dict[str, Any]
    ttl: int | None = None
    resolution: dict[str, Any] = field(default_factory=dict)


class DidResolutionResult(WireModel):
    """The result of resolution (DID Core, section 7.1): a document, or None and `error` in the resolution metadata.

    There is no `contentType`: DID Core has it for documents in serialized form, and forbids it for this form.
    """

    context: Annotated[Any, Field(alias="@context")] = "https://w3id.org/did-resolution/v1"
    did_resolution_metadata: dict[str, Any] = Field(default_factory=dict)
    did_document: _Nested[DidDocument | None] = None
    did_document_metadata: dict[str, Any] = Field(default_factory=dict)

    @property
    def error(self) -> str | None:
        """The DID Core error name, such as "notFound", or None."""
        return self.did_resolution_metadata.get("error")

    @staticmethod
    def failed(code: str, message: str) -> DidResolutionResult:
        return DidResolutionResult(did_resolution_metadata={"error": code, "errorMessage": f"{code}: {message}"})

    def to_wire(self) -> dict[str, Any]:
        return self.model_dump(by_alias=True)


class DidDereferencingResult(WireModel):
    """The result of dereferencing (DID Core, section 7.2): a document or a part of it, or None and an `error`."""

    dereferencing_metadata: dict[str, Any] = Field(default_factory=dict)
    content_stream: _Nested[DidDocument | VerificationMethod | Service | None] = None
    content_metadata: dict[str, Any] = Field(default_factory=dict)

    @property
    def error(self) -> str | None:
        """The DID Core error name, such as "notFound", or None."""
        return self.dereferencing_metadata.get("error")

    @staticmethod
    def failed(code: str, message: str) -> DidDereferencingResult:
        return DidDereferencingResult(dereferencing_metadata={"error": code, "errorMessage": f"{code}: {message}"})

    def to_wire(self) -> dict[str, Any]:
        return self.model_dump(by_alias=True)


class PortableDid(WireModel):
    """A DID with its document and keys, as `@web5/dids` `BearerDid` exports and imports it.

    Parameters:
        metadata: DID document metadata; did:dht keeps `published`, `versionId` and `types` there.
        private_keys: one private JWK for each verification method, or None where they are kept elsewhere.
    """

    uri: str
    document: _Nested[DidDocument]
    metadata: dict[str, Any] = Field(default_factory=dict)
    private_keys: list[Jwk] | None = Field(default=None, repr=False)

    def to_wire(self) -> dict[str, Any]:
        return self.model_dump(by_alias=True, exclude={"private_keys"} if self.private_keys is None else None)
