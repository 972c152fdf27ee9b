"""The key that encrypts all private keys: opened by a password or the device, brought back by twelve words.

May import `crypto`, `dids` and the store; the rest of the agent is built on it.
"""
