"""The tenants of a node: who is served, how much they may keep, and how often they may ask.

Imports nothing else of the node.
"""
