"""Messages from elsewhere on their way into the engine: applied, held for others to come, or noted with the reason."""
