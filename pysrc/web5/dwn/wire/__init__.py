"""JSON-RPC between an agent and a remote DWN, as text, for both ends."""
