"""DID documents on their way to DID DHT gateways, until one shows them, and ever again.

May import `dids` and the agent's records.
"""
