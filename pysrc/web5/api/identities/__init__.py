"""`web5.identities`, `web5.vault` and `web5.did`, with the export and the erasing of an identity."""
