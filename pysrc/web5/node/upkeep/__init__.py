"""The upkeep of a node's folder: copies of it while it is in use, and a look at whether all in it is whole.

May import `serve` for the names of the files, and nothing else of the node.
"""
