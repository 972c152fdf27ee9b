"""`web5.nodes`: the remote nodes of an identity, registration with them, and moves between them."""
