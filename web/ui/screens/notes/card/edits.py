"""What is being written into notes, kept until it is saved or given up: a reload loses none of it."""

import json

from ui.kit.dom import keep, kept

_KEPT = "web5-notes-edits"


def _read():
    try:
        found = json.loads(kept("sessionStorage", _KEPT) or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


_edits = _read()


def unsaved(note_id):
    """Return text and version of the note that somebody began to change, or None."""
    found = _edits.get(note_id)
    return found if isinstance(found, list) and len(found) == 2 else None


def put(note_id, text, version):
    """Keep a text; None forgets it."""
    if text is None:
        if _edits.pop(note_id, None) is None:
            return
    else:
        _edits[note_id] = [text, version]
    keep("sessionStorage", _KEPT, json.dumps(_edits) if _edits else None)
