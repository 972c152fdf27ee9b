"""Domain names as the URL standard has them: UTS 46, nontransitional, with no demands beyond those of characters."""

from __future__ import annotations

from collections.abc import Iterable

_JOINERS = frozenset("\u200c\u200d")
_ENCODED = "xn--"


def domain_to_ascii(domain: str) -> str:
    """Return a domain in lower case and ASCII, or raise ValueError if it is none.

    Lengths, hyphens, and characters of ASCII are for the caller to check.
    """
    if domain.isascii() and not any(label.startswith(_ENCODED) for label in domain.lower().split(".")):
        return domain.lower()
    # Its tables are large, and few domains need them.
    from idna import core

    labels = [_decoded(label) for label in core.uts46_remap(domain, std3_rules=False).split(".")]
    for label in filter(None, labels):
        core.check_initial_combiner(label)
        core.check_bidi(label)
        if not all(core.valid_contextj(label, at) for at in _joiners(label)):
            raise ValueError("a joiner that joins nothing")
    return ".".join(label if label.isascii() else f"{_ENCODED}{label.encode('punycode').decode()}" for label in labels)


def _decoded(label: str) -> str:
    """Return a label without its punycode, or raise ValueError if what that says could not have been encoded so."""
    from idna import core

    if not label.startswith(_ENCODED):
        return label
    decoded = label.removeprefix(_ENCODED).encode("ascii").decode("punycode")
    if not decoded or decoded.isascii() or core.uts46_remap(decoded, std3_rules=False) != decoded:
        raise ValueError(f"not the punycode of a domain: {label}")
    return decoded


def _joiners(label: str) -> Iterable[int]:
    return (at for at, character in enumerate(label) if character in _JOINERS)
