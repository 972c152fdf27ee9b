"""The operator's page: tenants, invitations, errors and figures over time, behind a token.

`routes` answers, `figures` and `troubles` remember; `page/` is what the browser loads.
"""
