"""The network in a browser: fetch and WebSocket behind the ports."""
