"""Records that are pydantic models: protocols declared in Python, and collections of typed records."""
