"""PostgreSQL's errors in our terms, with what to do about them."""

from __future__ import annotations

import psycopg
from psycopg import errors
from psycopg_pool import PoolClosed, PoolTimeout

from web5.errors import StorageBusy, StorageCorrupt, StorageError, StorageFull

_FAULTS: tuple[tuple[type[Exception], type[StorageError], str], ...] = (
    (errors.DiskFull, StorageFull, "PostgreSQL has no room left"),
    (errors.DataCorrupted, StorageCorrupt, "PostgreSQL's data are damaged"),
    (errors.IndexCorrupted, StorageCorrupt, "PostgreSQL's data are damaged"),
    (errors.LockNotAvailable, StorageBusy, "another process holds what is needed for too long"),
    (errors.QueryCanceled, StorageBusy, "PostgreSQL took too long"),
    (errors.TooManyConnections, StorageBusy, "PostgreSQL has no connection left: give this node fewer, or that more"),
    (errors.SerializationFailure, StorageBusy, "another process was faster"),
    (errors.DeadlockDetected, StorageBusy, "another process waited for this one"),
    (errors.ReadOnlySqlTransaction, StorageError, "this PostgreSQL takes no writes: name the primary server"),
    (errors.InsufficientPrivilege, StorageError, "the database user may not do that: it has to own its database"),
    (PoolTimeout, StorageError, "PostgreSQL cannot be reached"),
    (PoolClosed, StorageError, "the store is closed"),
    (psycopg.InterfaceError, StorageError, "the connection to PostgreSQL is closed"),
    (psycopg.OperationalError, StorageError, "PostgreSQL cannot be reached"),
)
"""Their errors that are of the store's making, the particular before the general; others are this program's faults."""


def fault_of(error: BaseException) -> StorageError | None:
    """Return our error for one of PostgreSQL's, or None if that is a fault of this program."""
    for theirs, ours, what in _FAULTS:
        if isinstance(error, theirs):
            return ours(f"{what} ({_first_line(error)})")
    return None


def is_broken(error: BaseException) -> bool:
    """Return True for an error after which nobody knows what the server has done."""
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)


def _first_line(error: BaseException) -> str:
    return " ".join(str(error).split("\n", 1)[0].split()) or type(error).__name__
