"""What is where, durably: tables beside the messages, changed in the transactions that change those.

May import `plan`; knows nothing of endpoints being reached.
"""
