"""DID methods, documents and their resolution with a cache: did:dht, did:jwk, did:key, did:web.

May import `ports` and `crypto`.
"""
