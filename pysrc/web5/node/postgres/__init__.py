"""The store of a node in PostgreSQL, which several processes, on several machines, may use at once.

The engine's statements are SQLite's; `dialect` says the same in PostgreSQL's words. Imports nothing else of the node.
Needs the extra `postgres`.
"""
