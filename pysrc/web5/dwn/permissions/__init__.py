"""Permissions: requests, grants and revocations as records of a protocol that every DWN has, and the rules of grants.

May import the store, message shapes and `dwn.compose`; handlers, sync and the agent import it.
"""
