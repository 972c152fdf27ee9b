"""One node for all tabs of an origin: who leads, and the channel by which the others call it."""
