"""What browsers ask of a server before a page of another origin may call it."""

from __future__ import annotations

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from web5.dwn.rpc import RESPONSE_HEADER

PREFLIGHT_SECONDS = 24 * 60 * 60
"""How long a browser may believe a preflight; without it every request costs two."""


def cross_origin(*methods: str) -> Middleware:
    """Let pages of any origin call, with any headers: who may do what is a matter of signatures, not of cookies."""
    return Middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=methods,
        allow_headers=["*"],
        expose_headers=[RESPONSE_HEADER],
        max_age=PREFLIGHT_SECONDS,
    )
