"""One module for each kind of message, or for two of a kind: its shape, and its handler.

A handler replies or raises DwnError, with the status and the code of the refusal; a refusal has changed nothing. Where
it stores a message, a StorageError leaves open whether the message is kept.
The rest is shared: shapes, their rules, parsing. May import all of `dwn` but `engine`, `compose` and `signing`.
"""
