"""The way to a DWN elsewhere: JSON-RPC over HTTP and WebSocket, its `/info`, registration with it.

May import `ports`, `crypto`, `dids` and `dwn`; sync and the agent are built on it.
"""
