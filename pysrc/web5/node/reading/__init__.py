"""What is published, for whoever has its address: GET requests without a signature, as `@web5/dwn-server` answers them.

May import `mounted`, `limits`, `endpoint`, and nothing else of the node.
"""
