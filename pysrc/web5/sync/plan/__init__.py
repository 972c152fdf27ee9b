"""What to do next, decided from replies and ledger rows alone: no I/O, no clock, no database.

May import `dwn` and `sync.states`; never `ledger` or `exchange`. Tests and the simulator drive it as it is.
"""
