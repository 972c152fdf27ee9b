"""The protocols of conversations: what others may write here, and what the person alone knows of others.

Messages and files between two lie in both DWNs. Those of a group lie in the DWN of whoever began it, below the record
of the group, and its members write and read there by their role; each keeps a copy of what was written.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from web5 import Protocol
from web5.api.typed.declaration import Can

LONGEST = 20_000
"""Characters of a message."""

LONGEST_NAME = 60
"""Characters of the name of a person or a group."""

LONGEST_FILE_NAME = 200

RECORD_ID = r"^[a-z2-7]{20,200}$"

ROLE = "group/member"

MESSAGE = "message"
GROUP_MESSAGE = "group/message"

FILE = "file"
GROUP_FILE = "group/file"

messaging = Protocol("https://web5-py/protocols/messages")
people = Protocol("https://web5-py/protocols/people", published=False)

Standing = Literal["accepted", "blocked"]

MEMBERS_READ: Can = {ROLE: ("read", "query", "subscribe")}
MEMBERS_WRITE: Can = {ROLE: ("create", "read", "query", "subscribe")}


class _Model(BaseModel):
    model_config = ConfigDict(defer_build=True)  # the page starts without them


class FileNote(_Model):
    """The file that a message brings: what it is is encrypted with the text, and what it holds is a record beside it.

    Parameters:
        record: the ID of that record.
    """

    record: str = Field(pattern=RECORD_ID)
    name: str = Field(max_length=LONGEST_FILE_NAME)
    type: str = Field(max_length=150)
    size: int = Field(ge=0, le=1 << 53)


class Invitation(_Model):
    """A group in the author's DWN in which the recipient has a role.

    Parameters:
        group: the ID of its record.
    """

    group: str = Field(pattern=RECORD_ID)
    name: str = Field(max_length=LONGEST_NAME)


@messaging.type(MESSAGE, can={"anyone": "create"}, tags=("key",), encrypted=True)
class Message(_Model):
    """A message.

    Parameters:
        key: tells a new message from one that is sent again.
    """

    text: str = Field(max_length=LONGEST)
    key: str = Field(max_length=100)
    file: FileNote | None = None
    invitation: Invitation | None = None


messaging.data(FILE, can={"anyone": "create"}, encrypted=True)


@messaging.type("read", can={"anyone": ("create", "update")}, encrypted=True)
class Receipt(_Model):
    """A person's word to another about how far they have read.

    Parameters:
        message: the ID of the newest message that was.
    """

    message: str = Field(max_length=200)


@messaging.type("group", can=MEMBERS_READ, tags=("key",), encrypted=True)
class Group(_Model):
    """A group, in the DWN of whoever began it."""

    name: str = Field(min_length=1, max_length=LONGEST_NAME)
    key: str = Field(max_length=100)


@messaging.type(ROLE, role=True, can={**MEMBERS_READ, f"recipient of {ROLE}": "co-delete"})
class Member(_Model):
    """The membership of the record's recipient, who may end it."""


@messaging.type(GROUP_MESSAGE, can=MEMBERS_WRITE, tags=("key",), encrypted=True)
class GroupMessage(Message):
    """A message to all of a group."""


messaging.data(GROUP_FILE, can=MEMBERS_WRITE, encrypted=True)


@people.type("person", encrypted=True)
class Person(_Model):
    """Somebody whom the person knows, or wants to hear nothing of.

    Parameters:
        name: what the person calls them.
        seen: the date of the newest message that was read, in microseconds since 1970.
        tells: they are told how far the person has read.
    """

    did: str = Field(max_length=2048)
    standing: Standing
    name: str = Field(default="", max_length=LONGEST_NAME)
    seen: int = 0
    tells: bool = False


Stage = Literal["waiting", "joined", "leaving", "left", "out"]


@people.type("group", encrypted=True)
class Membership(_Model):
    """A group that the person has begun or joined.

    Parameters:
        group: the ID of its record.
        owner: in whose DWN it is.
        stage: "waiting" until the owner's DWN was asked, "leaving" until it was told; "out": it lets the person read
            no more.
        seen: as of `Person`.
    """

    group: str = Field(max_length=200)
    owner: str = Field(max_length=2048)
    name: str = Field(max_length=LONGEST_NAME)
    stage: Stage
    seen: int = 0
