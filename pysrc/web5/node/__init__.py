"""The remote node: the engine behind HTTP and WebSocket, with registration, a DID DHT gateway and a static site.

May import everything but `agent`, `api` and `browser`.
"""
