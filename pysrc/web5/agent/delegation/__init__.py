"""Acting for somebody by grants: made, accepted, checked before use, renewed.

May import `dwn.permissions`, `sync.exchange.grants` and the agent.
"""
