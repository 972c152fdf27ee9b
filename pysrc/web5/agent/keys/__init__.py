"""The keys of an agent's identities: to sign, and to encrypt and decrypt records."""
