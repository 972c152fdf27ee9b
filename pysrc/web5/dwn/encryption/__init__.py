"""Encrypted records: key derivation, the data's cipher, the `encryption` property, keys in protocol definitions."""
