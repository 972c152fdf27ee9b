"""`web5.dwn.records`: records, queries, live results, subscriptions and the data of records."""
