"""Identities, keys, signing, and requests to local and remote nodes."""
