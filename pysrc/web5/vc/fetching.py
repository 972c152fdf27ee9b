"""Documents that credentials refer to: schemas and status lists."""

from __future__ import annotations

from web5.errors import BodyTooLarge, CredentialError, RemoteError
from web5.ports.http import Http
from web5.vc.codes import Code

MAX_BYTES = 1 << 20
"""Bytes of a document that is looked at: whom a credential refers to is not trusted to be brief."""

REQUEST_SECONDS = 20.0


async def fetch_text(http: Http, url: str, unavailable: Code) -> str:
    """A document of the web.

    Raises:
        CredentialError: with the code `unavailable`.
    """
    if not url.startswith(("https://", "http://")):
        raise CredentialError(unavailable, f"{url[:200]} is no URL of the web")
    try:
        response = await http.request("GET", url, timeout=REQUEST_SECONDS)
        body = await response.read(MAX_BYTES)
    except BodyTooLarge as error:
        raise CredentialError(unavailable, f"{url[:200]} has more than {MAX_BYTES} bytes") from error
    except RemoteError as error:
        raise CredentialError(unavailable, f"{url[:200]} could not be reached: {error}") from error
    if response.status != 200:
        raise CredentialError(unavailable, f"{url[:200]} answered with status {response.status}")
    return body.decode("utf-8", "replace")
