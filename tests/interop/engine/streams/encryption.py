"""The `encryption` property of a RecordsWrite: of every shape that the reference's schema allows, and broken ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.interop.engine.streams.step import Message
from tests.interop.engine.streams.world import World
from web5.crypto.encoding import b64url_encode

SCHEMES = ("dataFormats", "protocolContext", "protocolPath", "schemas")
PUBLIC_JWKS: tuple[Message, ...] = (
    {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "BBBB"},
    {"kty": "EC", "crv": "none", "x": ""},
    {"kty": "OKP", "crv": "X25519", "x": "AAAA"},
    {"kty": "RSA", "n": "AAAA", "e": "AQAB"},
    {"kty": "oct", "k": "AAAA"},
)
"""The least of each key type; the values are not looked at."""
OPEN_TO_JWKS: Message = {
    **dict.fromkeys(("alg", "kid", "use", "key_ops", "x5u", "x5c", "x5t", "x5t#S256"), "x"),
    "ext": True,
    "more": {"a": [1, None, 1.5]},
    "d_": 1e21,
    "": "",
}
"""What any key may have besides: texts under the names that the schema knows, anything under others."""
OF_OTHER_TYPES: dict[str, Message] = {
    "EC": {"n": 1, "k": 2, "p": "x", "oth": []},
    "OKP": {"y": 5, "e": None, "k": {}},
    "RSA": {"x": 1, "y": 2, "k": 3},
    "oct": {"d": 1, "p": {}, "x": 0, "oth": {}},
}
"""What only means something, or is only private, in a key of another type."""
PRIVATE = {"EC": ("d",), "OKP": ("d",), "RSA": ("d", "p", "q", "dp", "dq", "qi", "oth"), "oct": ("k",)}
TEXTS = ("AAAA", "A", "-_0", "AA", "A" * 200)
NO_BASE64URL: tuple[Any, ...] = ("", "==", "AAA=", "A A", "A+/A", "AAAA\n", "ä", None, 1, ["AAAA"], {})
ODD: tuple[Any, ...] = (None, True, 0, 1.5, "", "x", [], ["x"], {}, {"x": 1}, [[]])

Fault = Callable[[], Any]


class Encryptions:
    def __init__(self, world: World) -> None:
        self.world = world

    def sound(self) -> Message:
        entries = [self._entry() for _ in range(self.world.one((1, 1, 1, 2, 3)))]
        return self._shuffled(
            {"algorithm": "A256CTR", "initializationVector": self.world.one(TEXTS), "keyEncryption": entries}
        )

    def broken(self) -> Any:
        """A sound one with a fault, or with two, of which one has to be named first."""
        world = self.world
        made = self.sound()
        for _ in range(world.one((1, 1, 1, 2))):
            entries = made.get("keyEncryption")
            entry = world.one(entries) if isinstance(entries, list) and entries else {}
            faults = self._faults(made) if made and world.maybe(0.5) else []
            world.one(faults or self._faults_of_entry(entry if isinstance(entry, dict) else {}))()
        return made if world.maybe(0.95) else world.one((None, True, "", "x", [], [made], 0, {}))

    def _entry(self) -> Message:
        world = self.world
        entry: Message = {
            "rootKeyId": world.one(("did:example:a#enc", "", "x", world.anyone().key_id)),
            "derivationScheme": world.one(SCHEMES),
            "algorithm": "ECIES-ES256K",
            "ephemeralPublicKey": self._jwk(),
            "initializationVector": world.one(TEXTS),
            "messageAuthenticationCode": b64url_encode(world.rng.randbytes(16)),
            "encryptedKey": b64url_encode(world.rng.randbytes(32)),
        }
        if entry["derivationScheme"] == "protocolContext" or world.maybe(0.2):
            entry["derivedPublicKey"] = self._jwk()
        return self._shuffled(entry)

    def _jwk(self) -> Message:
        world = self.world
        person = {name: value for name, value in world.anyone().private_jwk.items() if name != "d"}
        jwk = world.one((person, *PUBLIC_JWKS))
        more = OPEN_TO_JWKS | OF_OTHER_TYPES[jwk["kty"]] if world.maybe(0.5) else {}
        return self._shuffled(jwk | {name: value for name, value in more.items() if world.maybe(0.3)})

    def _shuffled(self, value: Message) -> Message:
        """The properties in any order: it changes neither a CID nor what is found first."""
        return dict(self.world.some(list(value.items()), len(value)))

    def _faults(self, made: Message) -> list[Fault]:
        world = self.world
        return [
            lambda: made.pop(world.one(list(made))),
            lambda: made.update({world.one(list(made)): world.one(ODD)}),
            lambda: made.update({world.one(("extra", "", "Algorithm")): world.one(ODD)}),
            lambda: made.update(algorithm=world.one(("A128CTR", "a256ctr", "A256GCM"))),
            lambda: made.update(initializationVector=world.one(NO_BASE64URL)),
            lambda: made.update(keyEncryption=world.one(([], [None], [[]], ["x"], [{}], {"0": {}}))),
        ]

    def _faults_of_entry(self, entry: Message) -> list[Fault]:
        world = self.world
        texts = ("encryptedKey", "initializationVector", "messageAuthenticationCode")
        keys = ("ephemeralPublicKey", "derivedPublicKey")
        return [
            lambda: entry.pop(world.one(list(entry)), None) if entry else None,
            lambda: entry.update({world.one(list(entry) or ["x"]): world.one(ODD)}),
            lambda: entry.update({world.one(("extra", "", "kid")): world.one(ODD)}),
            lambda: entry.update(derivationScheme=world.one(("none", "Schemas", "", None))),
            lambda: entry.update(algorithm=world.one(("ECIES-ES256", "ES256K", ""))),
            lambda: entry.update({world.one(texts): world.one(NO_BASE64URL)}),
            lambda: entry.update({world.one(keys): self._odd_jwk()}),
            lambda: entry.update({world.one(keys): self._odd_jwk()}),
        ]

    def _odd_jwk(self) -> Any:
        """A key that is private, or none, or lacks something; some of these the schema allows nevertheless."""
        world = self.world
        jwk = self._jwk()
        names = (*jwk, "x", "y", "n", "e", "k", "crv", "kid")
        ways: list[Fault] = [
            lambda: jwk.pop(world.one(list(jwk))),
            lambda: jwk.update({world.one(names): world.one(ODD)}),
            lambda: jwk.update(kty=world.one(("EC", "OKP", "RSA", "oct", "ec", "AKP", *ODD))),
            lambda: jwk.update({world.one(PRIVATE[jwk["kty"]]): world.one(("AAAA", *ODD))}),
            lambda: jwk.update({world.one(PRIVATE["RSA"]): world.one(("AAAA", *ODD))}),
        ]
        world.one(ways)()
        return jwk if world.maybe(0.9) else world.one(ODD)
