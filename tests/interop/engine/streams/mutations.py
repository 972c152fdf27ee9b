"""Bad messages: good ones, changed anywhere, with the signature as it was or made again over the change."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from tests.interop.engine.streams import authoring
from tests.interop.engine.streams.cast import jws
from tests.interop.engine.streams.step import Message, Signed, Step
from tests.interop.engine.streams.world import World
from web5.crypto.encoding import b64url_decode
from web5.dwn.values.cid import dag_cbor_cid
from web5.errors import CryptoError

ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    7,
    -1.5,
    1e21,
    2**53 + 1,
    "",
    "x",
    " ",
    "é",
    "\ud800",
    "a" * 70_000,
    [],
    ["x"],
    [1, "x"],
    [None],
    {},
    {"x": 1},
    {"": {}},
    "did:a:b",
    "did:x",
    "urn:x",
    "http://a.b",
    "Example.com/",
    "https://A.b:443/c/?d#e",
    "bafyreinone",
    "2024-05-01T00:00:00.000000Z",
    "2024-02-30T00:00:00.000000Z",
    "2024-05-01T00:00:00Z",
    "a/b",
    "../x",
)
TEXT_CHANGES: tuple[Callable[[str], str], ...] = (
    lambda text: text[:-1],
    lambda text: text + "x",
    lambda text: text + "/",
    lambda text: text + "\n",
    lambda text: text.upper(),
    lambda text: text.swapcase(),
    lambda text: " " + text,
    lambda text: text[: len(text) // 2],
    lambda text: text[::-1],
    lambda text: text * 2,
)
NEW_NAMES = ("unknown", "", "$x", "encodedData", "data", "author", "signature", "attestation", "published", "x-y")
DEPTHS = (5, 50, 300)


class Mutations:
    """Parameters:
    good: makers of good messages.
    """

    def __init__(self, world: World, good: list[Callable[[], Step]]) -> None:
        self.world = world
        self.good = good

    def changed(self) -> Step:
        """One change somewhere, half of the time under signatures that fit again."""
        step = self._message()
        for _ in range(self.world.one((1, 1, 1, 2))):
            self._change(step.message)
        if self.world.maybe(0.6):
            step.message = self._signed_again(step)
        step.made = None
        return step

    def changed_descriptor(self) -> Step:
        """One change in the descriptor, under signatures that fit again."""
        step = self._message()
        if isinstance(step.message.get("descriptor"), dict):
            self._change(step.message["descriptor"])
        step.message = self._signed_again(step)
        return step

    def changed_claims(self) -> Step:
        """A signature over other things than it should be over."""
        world = self.world
        step = self._message()
        signature = step.message.get("authorization", {}).get("signature")
        if signature is None or step.made is None:
            return self.changed()
        payload = json.loads(b64url_decode(signature["payload"]))
        name = world.one(
            (*payload, "delegatedGrantId", "permissionGrantId", "protocolRole", "attestationCid", "encryptionCid", "x")
        )
        if name in payload and world.maybe(0.4):
            del payload[name]
        else:
            known = world.recent(world.records).record_id if world.records else "x"
            payload[name] = world.one(("", "x", known, dag_cbor_cid({}), 1, None, "post", "admin", "thread/member"))
        signer = step.made.signer if world.maybe(0.85) else world.anyone()
        step.message["authorization"]["signature"] = jws(payload, [signer])
        return self._done(step, "claims")

    def forged(self) -> Step:
        """A signature that does not hold, or that cannot be read."""
        world = self.world
        step = self._message()
        authorization = step.message.get("authorization")
        if authorization is None:
            return self.changed()
        place = world.one([name for name in ("signature", "ownerSignature") if name in authorization])
        jwt = authorization[place]
        entry = jwt["signatures"][0]
        payload: str = jwt["payload"]
        ways: list[Callable[[], Any]] = [
            lambda: entry.update(signature=self._broken(entry["signature"])),
            lambda: entry.update(signature=world.anyone().signature(payload)["signature"]),
            lambda: entry.update(protected=world.anyone().signature(payload)["protected"]),
            lambda: jwt["signatures"].append(dict(entry)),
            lambda: jwt["signatures"].append(world.anyone().signature(payload)),
            lambda: jwt["signatures"].clear(),
            lambda: jwt.update(
                payload=world.one(("e30", "W10", "bnVsbA", "MQ", "x", "AAAA", "eyJkZXNjcmlwdG9yQ2lkIjoxfQ", ""))
            ),
            lambda: entry.update(
                protected=world.one(("e30", "W10", "bnVsbA", "MQ", "x", "AAAA", "eyJraWQiOjF9", "eyJraWQiOiJ4In0"))
            ),
            lambda: entry.update(protected=jws({"kid": f"{world.owner.did}#1", "alg": "EdDSA"}, [])["payload"]),
            lambda: entry.update(protected=jws({"kid": world.owner.did, "alg": "EdDSA"}, [])["payload"]),
            lambda: entry.update(protected=jws({"kid": "did:key:z6Mk#0", "alg": "EdDSA"}, [])["payload"]),
            lambda: entry.update(protected=jws({"kid": world.owner.key_id}, [])["payload"]),
            lambda: entry.update(protected=jws({"kid": _odd_did(world)}, [])["payload"]),
            lambda: entry.pop(world.one(("signature", "protected"))),
            lambda: authorization.pop(place),
            lambda: step.message.pop("authorization"),
            lambda: authorization.update(self._grants()),
            lambda: [authorization.pop(name, None) for name in ("authorDelegatedGrant", "ownerDelegatedGrant")],
        ]
        world.one(ways)()
        return self._done(step, "forged")

    def whole(self) -> Step:
        """What is no message at all."""
        world = self.world
        step = self._message()
        value: Any = world.one(
            (
                *ODD_VALUES,
                {"descriptor": {}},
                {"descriptor": {"interface": "Records"}},
                {"descriptor": {"interface": "Records", "method": "Fly"}},
                {"descriptor": {"interface": 1, "method": 2}},
                {"descriptor": {"interface": "constructor", "method": ""}},
                {"descriptor": step.message.get("descriptor")},
                {"descriptor": step.message.get("descriptor"), "authorization": {}},
                [step.message],
                {**step.message, "descriptor": [step.message.get("descriptor")]},
            )
        )
        step.message = copy.deepcopy(value)
        return self._done(step, "whole")

    # How

    def _message(self) -> Step:
        step = self.world.one(self.good)()
        while not isinstance(step.message, dict):
            step = self.world.one(self.good)()
        step.message, step.cursor_of, step.then = copy.deepcopy(step.message), None, lambda: None
        step.what = f"bad {step.what}"
        return step

    def _done(self, step: Step, how: str) -> Step:
        step.what, step.made = f"{how} {step.what}", None
        return step

    def _change(self, message: Message) -> None:
        world = self.world
        holder = world.one(list(holders(message)))
        way = world.rng.randrange(5)
        if isinstance(holder, list):
            self._change_list(holder)
        elif way == 0 or not holder:
            holder[world.one(NEW_NAMES)] = copy.deepcopy(world.one(ODD_VALUES))
        else:
            name = world.one(list(holder))
            if way == 1:
                del holder[name]
            elif way == 2 and isinstance(holder[name], str):
                holder[name] = world.one(TEXT_CHANGES)(holder[name])
            elif way == 3 and world.maybe(0.1):
                holder[name] = deep(world.one(DEPTHS), list_too=world.maybe(0.5))
            else:
                holder[name] = copy.deepcopy(world.one(ODD_VALUES))

    def _change_list(self, holder: list[Any]) -> None:
        world = self.world
        if holder and world.maybe(0.5):
            holder.pop(world.rng.randrange(len(holder)))
        elif holder and world.maybe(0.3):
            holder.append(copy.deepcopy(holder[0]))
        else:
            holder.append(copy.deepcopy(world.one(ODD_VALUES)))

    def _signed_again(self, step: Step) -> Message:
        """The message with a signature over its descriptor as it is now, if it still has its main parts."""
        message, signed = step.message, step.made
        step.made = None
        authorization = message.get("authorization")
        if signed is None or not isinstance(authorization, dict) or not isinstance(message.get("descriptor"), dict):
            return message
        try:
            fresh = self._fresh(message, signed)
        except (ValueError, TypeError, CryptoError, RecursionError, KeyError):
            return message  # It has no CID.
        kept = {name: authorization[name] for name in authorization if name not in fresh["authorization"]}
        parts = {name: fresh["authorization"][name] for name in fresh["authorization"] if name in authorization}
        return {**message, **fresh, "authorization": {**parts, **kept}}

    def _fresh(self, message: Message, signed: Signed) -> Message:
        if "recordId" not in message:
            return authoring.plain(message["descriptor"], signed)
        bare = {name: value for name, value in message.items() if name != "authorization"}
        if self.world.maybe(0.4):
            bare["recordId"] = authoring.entry_id(authoring.author_of(signed), message["descriptor"])
            if "contextId" in bare and isinstance(bare["contextId"], str) and self.world.maybe(0.7):
                head, _, _ = bare["contextId"].rpartition("/")
                bare["contextId"] = f"{head}/{bare['recordId']}" if head else bare["recordId"]
        if signed.attester is not None and "attestation" in bare and self.world.maybe(0.7):
            bare["attestation"] = jws({"descriptorCid": dag_cbor_cid(bare["descriptor"])}, [signed.attester])
        return authoring.sign_write(bare, signed)

    def _broken(self, signature: str) -> str:
        end = self.world.one(("AAAAAAAA", "AAAA", "A", "", "AAAAAAA", "=="))
        return signature[: -len("AAAAAAAA")] + end

    def _grants(self) -> Message:
        world = self.world
        if not world.grants:
            return {"authorDelegatedGrant": {}}
        name = world.one(("authorDelegatedGrant", "ownerDelegatedGrant"))
        grant = copy.deepcopy(world.recent(world.grants).message)
        if world.maybe(0.4):
            self._change(grant)
        return {name: grant}


ODD_KEYS: tuple[Any, ...] = (
    {"kty": "OKP", "crv": "X25519", "x": "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"},
    {"kty": "OKP", "crv": "Ed448", "x": "AAAA"},
    {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"},
    {"kty": "OKP", "crv": "Ed25519"},
    {"kty": "EC", "crv": "P-384", "x": "AAAA", "y": "AAAA"},
    {"kty": "EC", "crv": "P-256", "x": "AAAA"},
    {"kty": "EC", "crv": "secp256k1", "x": "AAAA", "y": "AAAA"},
    {"kty": "RSA", "n": "AAAA", "e": "AQAB"},
    {"kty": "oct", "k": "AAAA"},
    {"kty": "none"},
    {"kty": {}, "crv": "Ed25519", "x": "AAAA"},
    {"kty": "OKP", "crv": ["Ed25519"], "x": "AAAA"},
    {},
)


def _odd_did(world: World) -> str:
    """A key's name, where the key is none that can sign."""
    return f"did:jwk:{jws(world.one(ODD_KEYS), [])['payload']}#0"


def holders(value: Any) -> list[Any]:
    """Every object and list in a JSON value."""
    if isinstance(value, dict):
        return [value] + [found for item in value.values() for found in holders(item)]
    if isinstance(value, list):
        return [value] + [found for item in value for found in holders(item)]
    return []


def deep(depth: int, *, list_too: bool) -> Any:
    made: Any = 1
    for _ in range(depth):
        made = [made] if list_too else {"x": made}
    return made
