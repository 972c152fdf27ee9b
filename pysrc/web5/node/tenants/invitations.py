"""Invitations: codes by which somebody becomes a tenant, without the operator's word about each.

Invariants:
1. A code is kept as its SHA-256 alone: whoever reads the database has none.
2. A use admits one tenant, in the transaction that counts it. Who is admitted already takes none.
3. An invitation that was used up, has ended or was revoked admits nobody; whom it has admitted stays.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from hashlib import sha256

from web5.dwn.store.database import Database
from web5.ports.clock import Clock

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""The characters of codes: none looks like another."""

GROUPS, GROUP = 5, 4
"""The groups of a code and their characters: 99 bits, which nobody guesses."""

LONGEST_CODE = 100
LONGEST_NOTE = 200
MOST_USES = 1_000_000
MOST_DAYS = 3650

_ID_DIGITS = 12
_DAY = 24 * 60 * 60 * 1_000_000


class InvitationRefused(Exception):
    """A code that admits nobody.

    Parameters:
        code: the word for programs.
        is_guess: True if there never was such a code here.
    """

    def __init__(self, code: str, message: str, *, is_guess: bool = False) -> None:
        self.code = code
        self.is_guess = is_guess
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation, without its code.

    Parameters:
        id: by which it is revoked.
        uses: the tenants that it may admit; `used`: those that it has.
        ends, made: microseconds since 1970; it may have no end.
        note: the operator's, for whom it is.
    """

    id: str
    uses: int
    used: int
    ends: int | None
    note: str
    made: int

    def refusal(self, now: int) -> InvitationRefused | None:
        """Return why it admits nobody more, or None."""
        if self.ends is not None and now >= self.ends:
            return InvitationRefused("InvitationCodeEnded", "this invitation has ended; ask for another")
        if self.used >= self.uses:
            return InvitationRefused("InvitationCodeUsedUp", "this invitation was used up; ask for another")
        return None


class Invitations:
    """The invitations of a DWN, in the database of the word about tenants, whose tables `Registry` makes."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def make(self, uses: int, days: float | None = None, note: str = "") -> tuple[str, Invitation]:
        """Make an invitation, durably; return its code, which nobody can find out later, and itself."""
        groups = ("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))
        code, now = "-".join(groups), self._clock.now()
        digest = _digest(code)
        one = Invitation(digest[:_ID_DIGITS], uses, 0, None if days is None else now + int(days * _DAY), note, now)
        row = (one.id, digest, one.uses, one.ends, one.note, one.made)
        query = "INSERT INTO invitation (id, code_hash, uses, used, ends, note, made) VALUES (?, ?, ?, 0, ?, ?, ?)"
        await self._database.commit(lambda: self._database.connection.execute(query, row))
        return code, one

    def all(self, limit: int | None = None) -> list[Invitation]:
        """Return the invitations, newest first.

        Parameters:
            limit: of their number.
        """
        query = "SELECT id, uses, used, ends, note, made FROM invitation ORDER BY made DESC, id LIMIT ?"
        return [Invitation(*row) for row in self._database.connection.execute(query, (limit or 2**31,))]

    async def revoke(self, id: str) -> bool:
        """Forget an invitation, durably; return False if there is none."""

        def change() -> bool:
            return bool(
                self._database.connection.execute("DELETE FROM invitation WHERE id = ? RETURNING id", (id,)).get
            )

        return await self._database.commit(change)

    async def check(self, code: str, did: str) -> None:
        """Check that a code admits a tenant now; changes nothing.

        Raises:
            InvitationRefused: it does not.
        """
        await self._database.read(lambda: self._found(code, did))

    async def use(self, code: str, did: str) -> None:
        """Admit a tenant by a code, durably.

        Raises:
            InvitationRefused: it admits nobody; nothing is changed.
        """

        def change() -> None:
            if (id := self._found(code, did)) is not None:
                db = self._database.connection
                db.execute("UPDATE invitation SET used = used + 1 WHERE id = ?", (id,))
                db.execute(
                    "INSERT INTO tenant (did, admitted, invitation) VALUES (?, 1, ?)"
                    " ON CONFLICT (did) DO UPDATE SET admitted = 1, invitation = excluded.invitation",
                    (did, id),
                )

        await self._database.commit(change)

    def _found(self, code: str, did: str) -> str | None:
        """Return the ID of the invitation with a code; None if the tenant needs none."""
        db = self._database.connection
        if db.execute("SELECT 1 FROM tenant WHERE did = ? AND admitted = 1", (did,)).fetchone() is not None:
            return None
        if not code:
            message = "this node takes those who were invited: send the code as invitationCode"
            raise InvitationRefused("InvitationCodeMissing", message)
        digest = _digest(code)
        query = "SELECT code_hash, id, uses, used, ends, note, made FROM invitation WHERE id = ?"
        row = db.execute(query, (digest[:_ID_DIGITS],)).fetchone()
        if row is None or not hmac.compare_digest(row[0], digest):
            message = "there is no such invitation here; look whether the code is complete"
            raise InvitationRefused("InvitationCodeUnknown", message, is_guess=True)
        one = Invitation(*row[1:])
        if (refusal := one.refusal(self._clock.now())) is not None:
            raise refusal
        return one.id


def _digest(code: str) -> str:
    """Return the SHA-256 of a code, however its letters and groups were typed."""
    return sha256("".join(code[:LONGEST_CODE].lower().replace("-", "").split()).encode()).hexdigest()
