"""The differences between a browser and CPython, as protocols.

`web5.browser` and `web5.cpython` implement them; nothing else in `web5` knows which platform it runs on.
"""
