"""The times of visits: runs that are asked for, a timer, or live subscriptions.

May import all the rest of sync but `engine`.
"""
