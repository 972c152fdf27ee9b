"""`web5.dwn.permissions`, `web5.delegation` and `web5.wallet`: who may act for an identity, and until when."""
