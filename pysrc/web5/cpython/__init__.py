"""The ports on CPython (SQLite files, `cryptography`, httpx, `websockets`) and the composition root of an agent there.

The twin of `browser`; may import everything but `browser`, `node` and `api`.
"""
