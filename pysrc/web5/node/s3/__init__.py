"""Large data in S3-compatible storage. Imported only where the extra `s3` is installed."""
