"""The devices of one person: taking another one along, and the list of those that are there.

May import the vault, the agent's records, recovery, and the relay of `delegation.connect`; the API imports it.
"""
