"""Messages of the library, and of the page's worker, in the language of the page. As words.py, it touches no page.

They are English, with what they are about in them. Here are those that a person can meet, with names in the places of
that; `tests/unit/page/test_library_words.py` looks whether the library still says them.
"""

from ui.kit.texts import IS_ENGLISH, known

_KNOWN = (
    # nodes
    known("{address} is not the address of a node. It looks like https://dwn.example.org"),
    known("{address} is not the URL of a DWN: it begins with https:// or http://."),
    known("{address} has {what} in it, which a DID document cannot carry."),
    known("That URL has a name or password in it, which everybody would read: leave it out."),
    known("These nodes cannot be published. Nothing was changed: {reason}."),
    known("The document of {did} follows from its key: it cannot name other nodes."),
    known(
        "{address} is not removed: what it alone may have would be out of reach ({reason}). Force it if that may be."
    ),
    known(
        "{address} is not removed: 1 message that it alone has would be out of reach ({reason}). Force it if that may "
        "be."
    ),
    known(
        "{address} is not removed: {n} messages that it alone has would be out of reach ({reason}). Force it if that "
        "may be."
    ),
    known("it has not answered yet"),
    # devices
    known("This code was used already, or its time is over. Have the other device show a new one."),
    known("This code is of no use any more: it was used, or its time is over."),
    known("There is no code any more that this could be about. Begin anew."),
    known("Somebody else has used this code. Begin anew."),
    known("What came is not from the other device. Begin anew, with a new code."),
    known("The other device did not answer in time. Begin anew, with a new code."),
    known("The other device did not let this one in."),
    known("This device has everything already that the other one has."),
    known("No other device has read the code yet."),
    known("The node does not pass it on: {reason}"),
    # identities
    known("An identity needs a name that can be read."),
    known("This is your only identity. Make or import another one first."),
    known("That is not an exported identity: it is far too long."),
    known("That is not an exported identity: it should be the whole JSON file, from { to }."),
    known('This is not a portable identity: an object with "portableDid" and "metadata" is expected.'),
    known("The portable DID is malformed: {reason}"),
    known("The export of {did} has no private keys, so nothing could be signed with it."),
    known("The keys of {did} cannot be used: {reason}"),
    known("The private key for {key} does not belong to the DID document."),
    known("The DID document is of {other}, not of {did}."),
    # passwords and words
    known("A password may not be blank. Give none to protect the vault by this device's key."),
    known("A password has at least {n} characters; a shorter one is soon guessed."),
    known("A password is Unicode text; this one has half a surrogate pair."),
    known("There is no password to unlock it with. Set one first."),
    known("This needs the password."),
    known("Word {n} of the recovery phrase, {word}, is not one of its list. Is it misspelt?"),
    known("A recovery phrase has {some} or {last} words; this one has {n}."),
    known(
        "These words are those of another agent than the one that is locked here, whose identities would be lost. "
        "Unlock this one first, by its password or its own words."
    ),
    known("These words belong to an agent that names no DWN, so nothing of it is kept anywhere else."),
    known(
        "No agent is known for these words. Check each word and their order. If they are right, the agent was never "
        "published, or is forgotten meanwhile: open it once on a device that has it."
    ),
    known("Whether these words belong to an agent cannot be told now; try again later. ({reason})"),
    known("The agent is known, but none of its nodes can be read now; try again later. ({reason})"),
    known(
        "The agent is known, but what can be read of its nodes has none of its identities, and the rest cannot be "
        "read now; try again later. ({reason})"
    ),
    # access
    known("That request is of your own identity, which may do everything already."),
    known("That request is not here any more."),
    known("That is not the request of an app: it is far too long."),
    known("That is not the request of an app: it should be JSON, from { to }. {reason}"),
    known("That is not the definition of a protocol: it is far too long."),
    known("That is not the definition of a protocol: it should be JSON, from { to }. {reason}"),
    known("Look at what the link leads to first."),
    known("This is no link of an app that wants to connect: it would have request_uri=… and encryption_key=… in it."),
    known("The app's request cannot be used: {reason}"),
    known(
        'This is no request of an app: an object with 1 to 32 "permissionRequests" is expected, each with a '
        '"protocolDefinition" and "permissionScopes".'
    ),
    known("The request asks for nothing that can be done with the records of {protocol}."),
    known("The request names a protocol twice."),
    known("The request asks for a method that cannot be granted."),
    # messages, notes, files
    known("That is your own address. Notes to yourself are in Notes."),
    known("That is not an address: it begins with did: and has no spaces."),
    known("A message has 1 to {n} characters."),
    known("This is too large for one file. Export the identity with everything instead."),
    known("The page has not given this file along. Add it again."),
    known("A text has half a surrogate pair in it."),
)


def said(message):
    """Return a message in the language of the page; an empty text if that does not know it."""
    if IS_ENGLISH:
        return message
    for english, own in _KNOWN:
        places = matched(english, message)
        if places is not None:
            if "reason" in places:
                places["reason"] = said(places["reason"]) or places["reason"]
            return _filled(own, places)
    return ""


def _filled(text, places):
    parts = _split(text)
    return "".join([places[parts[at]] if at % 2 else parts[at] for at in range(len(parts))])


def matched(pattern, message):
    """Return what stands in the places of a pattern, by their names; None if the message is not made by it."""
    parts = _split(pattern)
    if not message.startswith(parts[0]):
        return None
    at, places = len(parts[0]), {}
    for index in range(1, len(parts), 2):
        name, after = parts[index], parts[index + 1]
        end = message.find(after, at) if after else len(message)
        if end < 0:
            return None
        places[name] = message[at:end]
        at = end + len(after)
    return places if at == len(message) else None


def _split(pattern):
    """Return the texts of a pattern and, between them, the names of its places; braces around nothing are text."""
    parts = [""]
    for index, piece in enumerate(pattern.split("{")):
        name, brace, text = piece.partition("}")
        if index and brace and name.isalpha():
            parts += [name, text]
        elif index:
            parts[-1] += "{" + piece
        else:
            parts[-1] += piece
    return parts
