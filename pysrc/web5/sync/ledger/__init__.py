"""The durable state of sync: tables beside the messages, changed in the transactions that change those.

May import `dwn` and `sync.plan`; has no part in reaching endpoints.
"""
