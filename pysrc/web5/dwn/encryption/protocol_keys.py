"""The encryption keys in a protocol definition (`Protocols.deriveAndInjectPublicEncryptionKeys` of dwn-sdk-js).

A path with `$encryption` is one whose records are encrypted: the key there is the DWN owner's, and anyone who reads the
definition can encrypt for it. `encryptionRequired` of a type, as enbox's definitions have it, asks for such keys; the
reference's schema knows no such word, so it is replaced by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from web5.dwn.encryption.derivation import DerivedKey, RootKey, public_part
from web5.dwn.protocols.definitions import rule_sets_below
from web5.dwn.protocols.shape import definition_fault
from web5.dwn.values.urls import normalize_url
from web5.ports.crypto import Crypto

REQUIRED = "encryptionRequired"

Definition = Mapping[str, Any]


def required_types(definition: Definition) -> set[str]:
    """Return the names of the types that are marked to be encrypted."""
    types = definition.get("types")
    if not isinstance(types, Mapping):
        return set()
    return {name for name, kind in types.items() if isinstance(kind, Mapping) and kind.get(REQUIRED) is True}


def without_marks(definition: Definition) -> dict[str, Any]:
    """Return the definition without `encryptionRequired`."""
    if not isinstance(definition.get("types"), Mapping):
        return dict(definition)
    types = {
        name: {word: value for word, value in kind.items() if word != REQUIRED} if isinstance(kind, Mapping) else kind
        for name, kind in definition["types"].items()
    }
    return {**definition, "types": types}


async def with_keys(
    definition: Definition, root: RootKey, crypto: Crypto, *, types: set[str] | None = None
) -> dict[str, Any]:
    """Return a copy of the definition with `$encryption` at its paths, or raise BadRequest if its URL is none.

    A value that has not the shape of a definition gets none: the DWN will say what is wrong with it.

    Parameters:
        root: of the DID in whose DWN it is to be configured.
        types: only at the paths that end in one of these.
    """
    plain = without_marks(definition)
    if definition_fault(plain) is not None:
        return plain
    # Records have the protocol's normalized URL, and their keys' paths with it.
    protocol = normalize_url(plain["protocol"])
    key = root.derive("protocolPath", ("protocolPath", protocol))

    async def inject(rules: Mapping[str, Any], above: DerivedKey) -> dict[str, Any]:
        injected = dict(rules)
        for name, inner in rule_sets_below(rules):
            below = above.at((*above.path, name))
            injected[name] = await inject(inner, below)
            if types is None or name in types:
                public = public_part(await below.jwk(crypto))
                injected[name]["$encryption"] = {"rootKeyId": root.key_id, "publicKeyJwk": public}
        return injected

    return {**plain, "structure": await inject(plain["structure"], key)}


def rules_at(definition: Definition, protocol_path: str) -> Mapping[str, Any]:
    """Return the rule set of a protocol path; an empty one, if the definition has no such path."""
    rules: Any = definition["structure"]
    for name in protocol_path.split("/"):
        rules = rules.get(name)
        if not isinstance(rules, Mapping):
            return {}
    return cast(Mapping[str, Any], rules)


def key_at(definition: Definition, protocol_path: str) -> dict[str, Any] | None:
    """Return the `$encryption` of a protocol path, or None."""
    return rules_at(definition, protocol_path).get("$encryption")
