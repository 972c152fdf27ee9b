"""What is remembered of registrations: how each stands, and what the person has agreed to."""

from __future__ import annotations

from dataclasses import dataclass

from web5.dwn.store.database import Database
from web5.sync.states import RegistrationState

SCHEMA = (
    """
    -- One row for each tenant and endpoint that ever asked for it. Times are microseconds since 1970.
    CREATE TABLE sync_registration (
        tenant TEXT NOT NULL,
        endpoint TEXT NOT NULL,
        state TEXT NOT NULL,
        terms_hash TEXT,
        hashes INTEGER,
        reason TEXT,
        registered INTEGER,
        attempts INTEGER NOT NULL,
        next_try INTEGER,
        PRIMARY KEY (tenant, endpoint)
    ) WITHOUT ROWID;
    -- Terms that the person agreed to, for all tenants of this agent. They stay when others take their place: they
    -- are what was agreed to, and when.
    CREATE TABLE sync_accepted_terms (
        endpoint TEXT NOT NULL,
        hash TEXT NOT NULL,
        accepted INTEGER NOT NULL,
        PRIMARY KEY (endpoint, hash)
    ) WITHOUT ROWID;
    -- How many hashes the person lets this device compute for an endpoint.
    CREATE TABLE sync_accepted_work (
        endpoint TEXT PRIMARY KEY,
        hashes INTEGER NOT NULL,
        accepted INTEGER NOT NULL
    ) WITHOUT ROWID;
    """,
)


@dataclass(frozen=True, slots=True)
class Standing:
    """How the registration of a tenant at an endpoint stands; the fields are `states.Registration`'s.

    Parameters:
        attempts: so many were made since the last that held for long.
    """

    state: RegistrationState
    terms_hash: str | None = None
    hashes: int | None = None
    reason: str | None = None
    registered: int | None = None
    attempts: int = 0
    next_try: int | None = None


class RegistrationStore:
    """Reads and writes these tables; standings are read once and kept."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._db = database.connection
        self._standings: dict[tuple[str, str], Standing] = {}

    def open(self) -> None:
        """Bring the tables up to date."""
        self.database.migrate("sync_registration", SCHEMA)
        for tenant, endpoint, state, *rest in self._db.execute("SELECT * FROM sync_registration"):
            self._standings[tenant, endpoint] = Standing(RegistrationState(state), *rest)

    def standing(self, tenant: str, endpoint: str) -> Standing | None:
        """How it stands; None if the endpoint never asked for it."""
        return self._standings.get((tenant, endpoint))

    def at(self, endpoint: str) -> list[tuple[str, Standing]]:
        """The tenants of whom an endpoint asked for it, and how each stands."""
        return [(tenant, standing) for (tenant, url), standing in self._standings.items() if url == endpoint]

    def put(self, tenant: str, endpoint: str, standing: Standing) -> None:
        """Keep how it stands now."""
        with self.database.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO sync_registration VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(tenant, endpoint, standing.state, standing.terms_hash, _fitting(standing.hashes)),
                    *(standing.reason, standing.registered, standing.attempts, standing.next_try),
                ),
            )
        self._standings[tenant, endpoint] = standing

    def drop(self, tenant: str, endpoint: str | None = None) -> None:
        """Forget how it stands, at one endpoint or at all."""
        gone = [key for key in self._standings if key[0] == tenant and endpoint in (None, key[1])]
        if gone:
            with self.database.transaction() as db:
                db.executemany("DELETE FROM sync_registration WHERE tenant = ? AND endpoint = ?", gone)
        for key in gone:
            del self._standings[key]

    # -- what was agreed to

    def accept_terms(self, endpoint: str, hash: str, now: int) -> None:
        """The person agrees to the terms with this hash; when they did so first is kept."""
        with self.database.transaction() as db:
            db.execute("INSERT OR IGNORE INTO sync_accepted_terms VALUES (?, ?, ?)", (endpoint, hash, now))

    def accepted_terms(self, endpoint: str, hash: str) -> int | None:
        """When the person agreed to these terms; None if they did not."""
        query = "SELECT accepted FROM sync_accepted_terms WHERE endpoint = ? AND hash = ?"
        row = self._db.execute(query, (endpoint, hash)).fetchone()
        return row[0] if row else None

    def accept_work(self, endpoint: str, hashes: int, now: int) -> None:
        """The person lets this device compute about so many hashes for the endpoint; replaces what was."""
        with self.database.transaction() as db:
            db.execute("INSERT OR REPLACE INTO sync_accepted_work VALUES (?, ?, ?)", (endpoint, _fitting(hashes), now))

    def accepted_work(self, endpoint: str) -> int:
        """How many hashes that are."""
        row = self._db.execute("SELECT hashes FROM sync_accepted_work WHERE endpoint = ?", (endpoint,)).fetchone()
        return row[0] if row else 0


def _fitting(number: int | None) -> int | None:
    """SQLite's integers end at 2**63 - 1, where no difference is felt any more."""
    return None if number is None else min(number, 2**63 - 1)
