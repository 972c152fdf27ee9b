"""What the adapters over WebCrypto share: crossing into JavaScript, errors, and secp256k1, which WebCrypto has not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from typing import Any

import js
from pyodide.code import run_js
from pyodide.ffi import JsException, to_js

from web5.errors import CryptoError

_js_import = run_js("(url) => import(url)")
_js_secp256k1: Any = None


def js_object(**members: Any) -> Any:
    """A plain JavaScript object."""
    return to_js(members, dict_converter=js.Object.fromEntries)


@contextmanager
def crypto_errors(what_failed: str) -> Iterator[None]:
    """The border: no JsException passes it."""
    try:
        yield
    except JsException as error:
        raise CryptoError(f"{what_failed}: {error}") from error


async def secp256k1() -> Any:
    """The JavaScript module of this package (web/boot/secp256k1.mjs), loaded at its first use.

    Raises:
        CryptoError: it could not be loaded.
    """
    global _js_secp256k1
    if _js_secp256k1 is None:
        code = resources.files(__package__).joinpath("secp256k1.mjs").read_text()
        js_url = js.URL.createObjectURL(js.Blob.new(to_js([code]), js_object(type="text/javascript")))
        with crypto_errors("the module for secp256k1 could not be loaded"):
            _js_secp256k1 = await _js_import(js_url)
        js.URL.revokeObjectURL(js_url)
    return _js_secp256k1
