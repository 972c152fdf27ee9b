"""Encrypted records: derived keys, the content key of a record, the keys in protocol definitions.

May import the shapes of `messages`, `protocols`, `crypto` and `ports`.
"""
