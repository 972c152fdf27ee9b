"""The upkeep of a node's folder: copies of it while it is in use, and a look at whether all in it is whole.

May import what the node keeps, and nothing that serves it.
"""
