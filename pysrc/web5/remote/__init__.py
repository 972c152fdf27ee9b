"""How a DWN elsewhere is reached: JSON-RPC over HTTP and WebSocket, what its `/info` says, registration with it.

May import `ports`, `crypto`, `dids` and `dwn`; sync and the agent are built on it.
"""
