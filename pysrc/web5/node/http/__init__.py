"""The HTTP server below the node: strict framing, deadlines, and caps on connections, on uvicorn.

May import `node.limits`, and nothing else of the node.
"""
