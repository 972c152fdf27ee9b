"""JWK, JWS, JWE, key derivation and recovery phrases, over the ports.

May import `ports` alone.
"""
