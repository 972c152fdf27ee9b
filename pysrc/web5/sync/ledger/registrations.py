"""The registrations of tenants with endpoints, and the person's consent to their terms and work."""

from __future__ import annotations

from dataclasses import dataclass

from web5.dwn.store.database import Database
from web5.sync.states import RegistrationState


@dataclass(frozen=True, slots=True)
class RegistrationRow:
    """The registration of a tenant with an endpoint; the fields are those of `states.Registration`.

    Parameters:
        attempts: how many were made since the last that held for long.
    """

    state: RegistrationState
    terms_hash: str | None = None
    hashes: int | None = None
    reason: str | None = None
    registered: int | None = None
    attempts: int = 0
    next_try: int | None = None


class RegistrationStore:
    """Tables of registrations; the rows are read once and kept."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._db = database.connection
        self._rows: dict[tuple[str, str], RegistrationRow] = {}

    def open(self) -> None:
        """Read the rows; the tables are made by `Ledger.open`."""
        for tenant, endpoint, state, *rest in self._db.execute("SELECT * FROM sync_registration"):
            self._rows[tenant, endpoint] = RegistrationRow(RegistrationState(state), *rest)

    def get(self, tenant: str, endpoint: str) -> RegistrationRow | None:
        """Return the row; None if the endpoint never asked for a registration."""
        return self._rows.get((tenant, endpoint))

    def at(self, endpoint: str) -> list[tuple[str, RegistrationRow]]:
        """Return the tenants whom an endpoint asked for a registration, with their rows."""
        return [(tenant, row) for (tenant, url), row in self._rows.items() if url == endpoint]

    def put(self, tenant: str, endpoint: str, row: RegistrationRow) -> None:
        """Keep a row, in place of the one before."""
        with self.database.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO sync_registration VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(tenant, endpoint, row.state, row.terms_hash, _fitting(row.hashes)),
                    *(row.reason, row.registered, row.attempts, row.next_try),
                ),
            )
        self._rows[tenant, endpoint] = row

    def drop(self, tenant: str, endpoint: str | None = None) -> None:
        """Forget the tenant's rows, of one endpoint or of all."""
        gone = [key for key in self._rows if key[0] == tenant and endpoint in (None, key[1])]
        if gone:
            with self.database.transaction() as db:
                db.executemany("DELETE FROM sync_registration WHERE tenant = ? AND endpoint = ?", gone)
        for key in gone:
            del self._rows[key]

    # -- consent

    def accept_terms(self, endpoint: str, hash: str, now: int) -> None:
        """Record that the person agrees to the terms with this hash; the first time counts."""
        with self.database.transaction() as db:
            db.execute("INSERT OR IGNORE INTO sync_accepted_terms VALUES (?, ?, ?)", (endpoint, hash, now))

    def accepted_terms(self, endpoint: str, hash: str) -> int | None:
        """Return when the person agreed to these terms; None if they did not."""
        query = "SELECT accepted FROM sync_accepted_terms WHERE endpoint = ? AND hash = ?"
        row = self._db.execute(query, (endpoint, hash)).fetchone()
        return row[0] if row else None

    def accept_work(self, endpoint: str, hashes: int, now: int) -> None:
        """Record that this device may compute about so many hashes for the endpoint; replaces the number before."""
        with self.database.transaction() as db:
            db.execute("INSERT OR REPLACE INTO sync_accepted_work VALUES (?, ?, ?)", (endpoint, _fitting(hashes), now))

    def accepted_work(self, endpoint: str) -> int:
        """Return the number of hashes that this device may compute for the endpoint."""
        row = self._db.execute("SELECT hashes FROM sync_accepted_work WHERE endpoint = ?", (endpoint,)).fetchone()
        return row[0] if row else 0


def _fitting(number: int | None) -> int | None:
    """Return a number that SQLite can store: its integers end at 2**63 - 1."""
    return None if number is None else min(number, 2**63 - 1)
