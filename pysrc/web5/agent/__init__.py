"""Identities with their keys, the vault, publication of DIDs, and requests to local and remote nodes.

May import everything but `vc`, the platforms and `api`.
"""
