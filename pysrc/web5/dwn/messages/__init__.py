"""The kinds of messages, a module for each or for those of a kind: shape and handler; what they share beside them.

A handler replies, or raises DwnError with the status and the code of the refusal, which has changed nothing; so has one
that raises StorageError. May import all of `dwn` but `engine`, `compose` and `signing`.
"""
