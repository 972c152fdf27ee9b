"""A database in memory whose pages a port keeps: group commit, failures, and room."""
