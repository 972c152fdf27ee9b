"""The program `web5-node`: its settings, where they come from, and its commands.

Nothing else of the node imports it.
"""
