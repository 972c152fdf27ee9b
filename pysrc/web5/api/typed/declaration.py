"""Protocols that are declared in Python, and the wire's definition made from them.

Source: the DWN specification, "Protocols", and dwn-sdk-js src/types/protocols-types.ts.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from pydantic import BaseModel

from web5.api.arguments import keywords, shown, text, texts, unknown_name
from web5.errors import InvalidArgument

M = TypeVar("M", bound=BaseModel)

Action = Literal[
    "create", "read", "update", "delete", "prune", "co-update", "co-delete", "co-prune", "query", "subscribe"
]
ACTIONS: tuple[str, ...] = (
    *("create", "read", "update", "delete", "prune", "co-update", "co-delete", "co-prune", "query", "subscribe"),
)

Can = Mapping[str, Action | Sequence[Action]]
"""The actions by who may do them: "anyone", "author of list", "recipient of list", or the path of a role."""

JSON = "application/json"

_TAG_TYPES = {"string", "number", "integer", "boolean", "array"}


@dataclass(frozen=True, repr=False)
class RecordType:
    """A type of records at one path of a protocol.

    Parameters:
        model: the model of its data.
        tags: the fields that are also tags, by which queries find records.
    """

    protocol: Protocol
    path: str
    model: type[BaseModel]
    schema: str | None
    tags: tuple[str, ...]
    role: bool

    def __repr__(self) -> str:
        return f"<RecordType {self.path} of {self.protocol.uri}: {self.model.__name__}>"

    @property
    def data_format(self) -> str:
        """The media type of its data."""
        return JSON

    @property
    def parent(self) -> str:
        """The path above it, "" at the root."""
        return self.path.rpartition("/")[0]

    def tags_of(self, value: BaseModel) -> dict[str, Any] | None:
        """Return the tags of a record with this value; fields that are None are none."""
        plain = value.model_dump(mode="json", include=set(self.tags))
        return {name: one for name, one in plain.items() if one is not None and one != []} or None


@dataclass(eq=False, repr=False)
class Protocol:
    """A protocol, whose types are pydantic models; `web5.records(Model)` are its records.

    Two are equal that make the same definition.

    Parameters:
        uri: the protocol's URI.
        published: let everybody see that it is configured; needed for what strangers may do.
        definition: one in JSON, which the types of this one are then about; nothing is added to it.

    Raises:
        InvalidArgument: the URI is none.
    """

    uri: str
    published: bool = True
    definition: Mapping[str, Any] | None = None
    types: dict[str, RecordType] = field(default_factory=dict, repr=False)
    _made: dict[str, Any] = field(init=False, repr=False)
    _awaited: dict[str, str] = field(init=False, repr=False, default_factory=dict)
    """Roles that a type names before they are declared, below it or itself, by the path of that type."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Protocol) and self.uri == other.uri and self._made == other._made

    def __hash__(self) -> int:
        return hash(self.uri)

    def __repr__(self) -> str:
        return f"<Protocol {self.uri}: {', '.join(self.types) or 'no types'}>"

    def __post_init__(self) -> None:
        text("uri", self.uri)
        if not self.uri.strip() or any(one.isspace() for one in self.uri):
            raise InvalidArgument(f"uri={shown(self.uri)} is no URI, such as 'https://example.org/todo'.")
        if self.definition is not None:
            if self.definition.get("protocol") != self.uri:
                raise InvalidArgument(f"definition is of {shown(self.definition.get('protocol'))}, not of {self.uri}.")
            self.published = bool(self.definition.get("published"))
            self._made = copy.deepcopy(dict(self.definition))
        else:
            self._made = {"protocol": self.uri, "published": self.published, "types": {}, "structure": {}}

    @keywords
    def type(
        self,
        path: str,
        *,
        can: Can | None = None,
        tags: Iterable[str] = (),
        role: bool = False,
        schema: str | None = None,
        encrypted: bool = False,
    ) -> Callable[[type[M]], type[M]]:
        """Declare the model of the records at a path; use it as a decorator of the class.

        Parameters:
            path: the types from the root down to this one, such as "list/item"; those above are declared first.
            can: what others than the owner may do.
            tags: names of fields that are also tags.
            role: a record here makes its recipient a holder of the role, for `protocol_role`.
            schema: a URI for the data, if others agree on one.
            encrypted: records of this type are encrypted, always.

        Raises:
            InvalidArgument: such a type cannot be.
        """

        def declare(model: type[M]) -> type[M]:
            if not (isinstance(model, type) and issubclass(model, BaseModel)):
                raise InvalidArgument(f"{shown(model)} is no pydantic model: derive it from pydantic.BaseModel.")
            chosen = tuple(dict.fromkeys(tags))
            known = model.model_fields
            if missing := [name for name in chosen if name not in known]:
                raise unknown_name("field", missing[0], list(known), of=model.__name__)
            if path in self.types:
                raise InvalidArgument(f"path={path!r} is {self.types[path].model.__name__} already.")
            declared = RecordType(self, path, model, self._schema(path, schema), chosen, role)
            if self.definition is None:
                kind: dict[str, Any] = {"dataFormats": [JSON]}
                if schema is not None:
                    kind["schema"] = schema
                self._add(path, _tags(declared), can or {}, kind | ({"encryptionRequired": True} if encrypted else {}))
            elif _rules_at(self._made["structure"], path) is None:
                raise InvalidArgument(f"path={path!r} is not in the definition of {self.uri}.")
            self.types[path] = declared
            _OF_MODEL[model] = declared
            return model

        return declare

    @keywords
    def data(self, path: str, *, can: Can | None = None, formats: Iterable[str] = (), encrypted: bool = False) -> None:
        """Declare a path whose records hold any data, such as files, and no model: for `web5.dwn.records`.

        Parameters:
            path: as for `type`.
            can: what others than the owner may do.
            formats: the media types that the data may have; by default all.
            encrypted: records of this type are encrypted, always.

        Raises:
            InvalidArgument: such a type cannot be.
        """
        kind: dict[str, Any] = {"dataFormats": texts("formats", formats)} if formats else {}
        if self.definition is not None:
            raise InvalidArgument(f"The definition of {self.uri} is given in JSON: declare path={path!r} there.")
        if _rules_at(self._made["structure"], path) is not None:
            raise InvalidArgument(f"path={path!r} is declared already.")
        self._add(path, {}, can or {}, kind | ({"encryptionRequired": True} if encrypted else {}))

    def to_definition(self) -> dict[str, Any]:
        """Return the definition in the wire's shape, for `web5.dwn.protocols.configure`.

        Raises:
            InvalidArgument: a role that may do something was not declared.
        """
        roles = [path for path, one in self.types.items() if one.role]
        for who, at in self._awaited.items():
            if who not in roles:
                raise unknown_name("role", who, roles or ("none",), of=f"can at {at!r}")
        return copy.deepcopy(self._made)

    def _schema(self, path: str, schema: str | None) -> str | None:
        if self.definition is None:
            return schema
        of_type = self._made.get("types", {}).get(path.rpartition("/")[2], {})
        found: str | None = of_type.get("schema")
        return found

    def _add(self, path: str, rules: dict[str, Any], can: Can, kind: Mapping[str, Any]) -> None:
        above, _, name = path.rpartition("/")
        if not name or any(not one or one.startswith("$") for one in path.split("/")):
            raise InvalidArgument(f"path={path!r} has to be names of types with '/' between them.")
        level = _rules_at(self._made["structure"], above)
        if level is None:
            raise InvalidArgument(f"Declare {above!r} before path={path!r}, which lies below it.")
        if self._made["types"].setdefault(name, kind) != kind:
            raise InvalidArgument(f"path={path!r}: another {name!r} is declared with other data; rename one.")
        if actions := [self._rule(path, who, what) for who, what in can.items()]:
            rules = {**rules, "$actions": actions}
        level[name] = rules

    def _rule(self, path: str, who: str, what: Action | Sequence[Action]) -> dict[str, Any]:
        actions = [what] if isinstance(what, str) else list(what)
        for one in actions:
            if one not in ACTIONS:
                raise unknown_name("action", str(one), ACTIONS)
        if who == "anyone":
            return {"who": "anyone", "can": actions}
        kind, _, of = who.partition(" of ")
        if kind in ("author", "recipient"):
            if not of:
                return {"who": kind, "of": path, "can": actions}
            if of != path and _rules_at(self._made["structure"], of) is None:
                raise unknown_name("path", of, list(self.types), of=self.uri)
            return {"who": kind, "of": of, "can": actions}
        roles = [path for path, one in self.types.items() if one.role]
        if who == path or who.startswith(f"{path}/"):
            self._awaited.setdefault(who, path)
        elif who not in roles:
            near = ["anyone", "author of …", "recipient of …", *roles]
            raise unknown_name("one", who, near, of=f"can at {path!r}")
        return {"role": who, "can": actions}


_OF_MODEL: dict[type[BaseModel], RecordType] = {}


def type_of(model: type[BaseModel]) -> RecordType:
    """Return the type that a model was declared as.

    Raises:
        InvalidArgument: it was not declared.
    """
    if declared := _OF_MODEL.get(model):
        return declared
    raise InvalidArgument(f"{shown(model)} is no record type: declare it with @protocol.type(path).")


def _rules_at(structure: dict[str, Any], path: str) -> dict[str, Any] | None:
    for name in filter(None, path.split("/")):
        found = structure.get(name)
        if not isinstance(found, dict):
            return None
        structure = found
    return structure


def _tags(declared: RecordType) -> dict[str, Any]:
    """Return the rules of a type that say which tags it has, and that it is a role."""
    rules: dict[str, Any] = {"$role": True} if declared.role else {}
    if declared.tags:
        schema = declared.model.model_json_schema(mode="serialization")
        named = {tag: _tag_schema(declared, tag, schema) for tag in declared.tags}
        rules["$tags"] = {"$allowUndefinedTags": False, **named}
    return rules


def _tag_schema(declared: RecordType, tag: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a tag by that of its field."""
    found = schema["properties"][tag]
    options = [one for one in found.get("anyOf", [found]) if one.get("type") != "null"]
    one = options[0] if len(options) == 1 else {}
    if "$ref" in one:
        one = schema["$defs"][one["$ref"].rpartition("/")[2]]
    if "const" in one:
        one = {"type": one.get("type"), "enum": [one["const"]]}
    kind = one.get("type")
    if kind not in _TAG_TYPES or (kind == "array" and one.get("items", {}).get("type") not in ("string", "number")):
        raise InvalidArgument(
            f"tags: {tag!r} of {declared.model.__name__} cannot be a tag; texts, numbers, booleans, and lists of texts"
            " or numbers can."
        )
    made: dict[str, Any] = {"type": kind}
    if kind == "array":
        made["items"] = {"type": one["items"]["type"]}
    elif "enum" in one:
        made["enum"] = one["enum"]
    return made
