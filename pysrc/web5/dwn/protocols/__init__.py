"""Protocols: the shape and the validation of definitions, the rules that they make for records, who may do what.

May import `messages.parsing`, `messages.rules` and `store`; the handlers use it.
"""
