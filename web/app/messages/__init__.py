"""Conversations with other people, and groups: records that those who talk can read, in their own DWNs."""
