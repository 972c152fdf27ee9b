"""The reference engine in a Node process, and ours, for the same persons."""

from __future__ import annotations

from tests.interop.reference import reference_fixture

reference = reference_fixture("engine.mjs")
reference_engine = reference_fixture("engine.mjs", scope="module")
"""The same for a whole module, whose tests bring their own persons, or empty the store first (`run` does)."""
