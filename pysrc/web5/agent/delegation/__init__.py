"""Acting for somebody by grants: a delegation is created, accepted, checked before each use, and renewed.

May import `dwn`, `sync.exchange.grants` and the agent; the API imports it.
"""
