"""Permissions: requests, grants and revocations as records of a protocol that every DWN has, and what a grant allows."""
