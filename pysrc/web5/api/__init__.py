"""The API that apps call, named as in `@web5/api`, in snake_case.

May import everything but `browser`, `cpython` and `node`, which `platform` chooses.
"""
