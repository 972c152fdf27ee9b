"""Signatures of messages: made, read and verified."""
