"""When endpoints are visited: rounds that are asked for, a timer, or live subscriptions.

May import all the rest of sync but `engine`.
"""
