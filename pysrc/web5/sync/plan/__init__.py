"""The decisions of sync, made from replies and ledger entries alone: no I/O, no clock, no database.

May import `dwn` and `sync.states`; never `ledger` or `exchange`. Tests and the simulator drive it as it is.
"""
