"""The tables of a DWN in SQLite, and the database in memory whose pages a port keeps.

May import `ports` and the models of `dwn`.
"""
