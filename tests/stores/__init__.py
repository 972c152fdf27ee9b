"""Stores as each released version of this program left them, for the tests of upgrades (`tests/unit/agent/`)."""
