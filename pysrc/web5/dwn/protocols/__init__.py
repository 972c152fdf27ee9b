"""Protocols: what a definition may say, and what it means for the records written under it."""
