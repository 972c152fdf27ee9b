"""Permissions: requests, grants and revocations as records of a protocol that every DWN has; what grants allow."""
