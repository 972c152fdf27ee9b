"""Published records for whoever has their addresses: GET without a signature, as `@web5/dwn-server` answers it.

May import `mounted`, `limits` and `endpoint`, and nothing else of the node.
"""
