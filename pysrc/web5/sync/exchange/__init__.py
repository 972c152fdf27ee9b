"""One visit to one endpoint: list, pull, push, compare, register.

May import `plan`, `ledger` and `remote`; when visits happen is up to `schedule`.
"""
