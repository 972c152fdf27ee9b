"""The events that the worker posts to every page. Any page of this origin can post there, so each is checked.

As words.py, it touches no page.
"""

import json

MAX_LENGTH = 100_000
"""Characters of an event; the worker's have some thousands."""

_MAX_NUMBER = 2**53
_MAX_NEWS = 50
_MAX_FILES = 50
_MAX_ENDPOINT = 2048
_STEPS = ("agent", "identities", "records")
_MOVE_STEPS = ("fill", "compare", "publish", "leave")
_MAX_FLOWS = 20


def parse(data):
    """Return the event that was posted, with known members of the right kinds alone, or None if it is none."""
    try:
        event = _event(data)
        return _EVENTS[event["type"]](event)
    except (KeyError, TypeError, ValueError, RuntimeError):
        return None


def _event(data):
    if not isinstance(data, str) or len(data) > MAX_LENGTH:
        raise ValueError("no text of ours")
    return json.loads(data)


def _boot(event):
    done = _span(event)
    return {"type": "boot", "step": _text(event["step"], 20), "done": done["done"], "total": done["total"]}


def _leading(_):
    return {"type": "leading"}


def _changed(event):
    checked = {"type": "changed", "what": [what for what in ("messages", "notes", "state") if what in event["what"]]}
    if "progress" in event:
        checked["progress"] = _span(event["progress"])
    if "recovery" in event:
        checked["recovery"] = {step: _span(event["recovery"][step]) for step in _STEPS if step in event["recovery"]}
    if "flows" in event:
        checked["flows"] = [_flow(event["flows"][at]) for at in range(min(len(event["flows"]), _MAX_FLOWS))]
    if "move" in event:
        checked["move"] = {step: _span(event["move"][step]) for step in _MOVE_STEPS if step in event["move"]}
    if "files" in event:
        checked["files"] = [_file(event["files"][at]) for at in range(min(len(event["files"]), _MAX_FILES))]
    if "news" in event:
        checked["news"] = [_news(event["news"][at]) for at in range(min(len(event["news"]), _MAX_NEWS))]
    return checked


def _file(entry):
    span = _span(entry)
    return {"key": _text(entry["key"], 100), "done": span["done"], "total": span["total"]}


def _flow(entry):
    if entry["direction"] not in ("push", "pull"):
        raise ValueError("no such direction")
    span = _span(entry)
    endpoint = _text(entry["endpoint"], _MAX_ENDPOINT)
    return {"endpoint": endpoint, "direction": entry["direction"], "done": span["done"], "total": span["total"]}


def _news(entry):
    if entry["kind"] not in ("removed", "refilled", "added"):
        raise ValueError("no such news")
    total = entry["total"] if entry["kind"] == "refilled" else 0
    return {"kind": entry["kind"], "endpoint": _text(entry["endpoint"], _MAX_ENDPOINT), "total": _number(total)}


def _span(event):
    return {"done": _number(event["done"]), "total": _number(event["total"])}


def _number(value):
    if type(value) is not int or not 0 <= value <= _MAX_NUMBER:
        raise ValueError("no number of ours")
    return value


def _text(value, longest):
    if not isinstance(value, str) or len(value) > longest:
        raise ValueError("no text of ours")
    return value


_EVENTS = {"boot": _boot, "leading": _leading, "changed": _changed}
