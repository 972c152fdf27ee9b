"""Messages that are delivered to somebody else's nodes: kept by the ledger, sent at once and at every visit."""
