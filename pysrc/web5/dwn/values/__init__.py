"""Values of messages as the reference has them: JSON, CIDs, timestamps, URLs, context IDs."""
