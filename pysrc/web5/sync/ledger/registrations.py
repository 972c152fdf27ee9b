"""The registrations of tenants with endpoints, and the person's consent to their terms and work.

The tables are made by `Ledger.open`. Times are microseconds since 1970.
"""

from __future__ import annotations

from datetime import datetime

from web5.dwn.store.database import Database
from web5.dwn.values.timestamps import microseconds, moment_or_none
from web5.sync.states import Registration, RegistrationState


class RegistrationStore:
    """Tables of registrations and consent; changes make their own transactions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.connection

    def get(self, tenant: str, endpoint: str) -> Registration | None:
        """Return a registration; None if the endpoint never asked for one."""
        found = self._db.execute(
            "SELECT state, terms_hash, hashes, reason, registered, attempts, next_try FROM sync_registration"
            " WHERE tenant = ? AND endpoint = ?",
            (tenant, endpoint),
        ).fetchone()
        if found is None:
            return None
        state, terms_hash, hashes, reason, registered, attempts, next_try = found
        return Registration(
            RegistrationState(state),
            terms_hash,
            hashes,
            reason,
            moment_or_none(registered),
            attempts,
            moment_or_none(next_try),
        )

    def put(self, tenant: str, endpoint: str, found: Registration) -> None:
        """Keep a registration, in place of the one before."""
        with self._database.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO sync_registration VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(tenant, endpoint, found.state, found.terms_hash, _fitting(found.hashes)),
                    *(found.reason, _stored(found.registered), found.attempts, _stored(found.next_try)),
                ),
            )

    def drop(self, tenant: str, endpoint: str | None = None) -> None:
        """Forget the tenant's registration with one endpoint, or with all."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM sync_registration WHERE tenant = ? AND ifnull(endpoint = ?, 1)", (tenant, endpoint))

    def retry(self, endpoint: str, tenant: str | None) -> None:
        """Forget the backoff of a tenant's registration with an endpoint, or of all tenants'."""
        with self._database.transaction() as db:
            db.execute(
                "UPDATE sync_registration SET next_try = NULL WHERE endpoint = ? AND ifnull(tenant = ?, 1)",
                (endpoint, tenant),
            )

    # -- consent

    def accept_terms(self, endpoint: str, hash: str, now: int) -> None:
        """Record that the person agrees to the terms with this hash; the first time counts."""
        with self._database.transaction() as db:
            db.execute("INSERT OR IGNORE INTO sync_accepted_terms VALUES (?, ?, ?)", (endpoint, hash, now))

    def has_accepted_terms(self, endpoint: str, hash: str) -> bool:
        """Return True if the person agreed to these terms."""
        query = "SELECT 1 FROM sync_accepted_terms WHERE endpoint = ? AND hash = ?"
        return self._db.execute(query, (endpoint, hash)).get is not None

    def accept_work(self, endpoint: str, hashes: int, now: int) -> None:
        """Record that this device may compute about so many hashes for the endpoint; replaces the number before."""
        with self._database.transaction() as db:
            db.execute("INSERT OR REPLACE INTO sync_accepted_work VALUES (?, ?, ?)", (endpoint, _fitting(hashes), now))

    def accepted_work(self, endpoint: str) -> int:
        """Return the number of hashes that this device may compute for the endpoint."""
        return self._db.execute("SELECT hashes FROM sync_accepted_work WHERE endpoint = ?", (endpoint,)).get or 0

    def give_invitation(self, endpoint: str, code: str | None, now: int) -> None:
        """Record the code of an invitation for an endpoint, in place of the one before; None: there is none."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM sync_invitation WHERE endpoint = ?", (endpoint,))
            if code is not None:
                db.execute("INSERT INTO sync_invitation VALUES (?, ?, ?)", (endpoint, code, now))

    def invitation(self, endpoint: str) -> str | None:
        """Return the code of an invitation for an endpoint, or None."""
        code: str | None = self._db.execute("SELECT code FROM sync_invitation WHERE endpoint = ?", (endpoint,)).get
        return code


def _fitting(number: int | None) -> int | None:
    """Return a number that SQLite can store: its integers end at 2**63 - 1."""
    return None if number is None else min(number, 2**63 - 1)


def _stored(moment: datetime | None) -> int | None:
    return None if moment is None else microseconds(moment)
