"""The kinds of messages, a module for each or for those of a kind: shape and handler; what they share beside them.

A handler replies, or raises DwnError with the status and the code of the refusal, which has changed nothing. Where it
stores a message, a StorageError leaves open whether the message is kept. May import all of `dwn` but `engine`,
`compose` and `signing`.
"""
