"""Wheels and compiled modules for Pyodide, from our sources, PyPI and the standard library."""
