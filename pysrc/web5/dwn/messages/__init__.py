"""One module for each kind of message: its shape, and what the engine does with it."""
