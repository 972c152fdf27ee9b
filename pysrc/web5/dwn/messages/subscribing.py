"""What both kinds of subscription need of whoever calls."""

from __future__ import annotations

from web5.dwn.codes import Code
from web5.dwn.events import Handler
from web5.dwn.services import Call
from web5.errors import NotImplementedByDwn


def handler_of(call: Call, code: Code) -> Handler:
    """Who is to be told.

    Raises:
        NotImplementedByDwn: nobody, so that a subscription would be of no use; the reference says this where it has
            no event stream.
    """
    if call.subscription_handler is None:
        raise NotImplementedByDwn(code, "Subscriptions are not supported")
    return call.subscription_handler
