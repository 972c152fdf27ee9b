"""The documentation, and those of its pages that are made from tables in the code."""
