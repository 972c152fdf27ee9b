"""The visits to one endpoint: list, pull, push, compare, register.

May import `plan`, `ledger` and `remote`; `schedule` decides when visits happen.
"""
