"""The relay of the connect flow: what an app and a wallet leave for each other, encrypted, for some minutes.

May import `dwn.store.database` and the node's bounds on clients; the node's app imports it.
"""
