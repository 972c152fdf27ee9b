"""The URL of a place in S3-compatible storage: `s3://bucket/prefix?endpoint=https://…&region=…`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlsplit

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"[A-Za-z0-9_-]{1,100}(?:/[A-Za-z0-9_-]{1,100}){0,9}")
_REGION = re.compile(r"[a-z0-9-]{1,50}")


@dataclass(frozen=True, slots=True)
class S3Address:
    """A bucket, and the beginning of the names of what is ours in it.

    Parameters:
        endpoint: the URL of the server; None: Amazon's for the region.
    """

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    region: str = "us-east-1"

    @classmethod
    def parse(cls, url: str) -> S3Address:
        """Parse a URL; raises ValueError, with words for people, if it is none."""
        like = "it is like s3://bucket/prefix?endpoint=https://s3.example.org&region=eu-central-1"
        parts = urlsplit(url)
        if parts.scheme != "s3" or parts.fragment:
            raise ValueError(like)
        if parts.username is not None:
            raise ValueError("keys are no part of it: they are in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        bucket, prefix = parts.netloc, parts.path.strip("/")
        if not _BUCKET.fullmatch(bucket) or (prefix and not _PREFIX.fullmatch(prefix)):
            raise ValueError(like)
        asked = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
        if unknown := set(asked) - {"endpoint", "region"}:
            raise ValueError(f"it has {min(unknown)[:40]!r}; only endpoint and region can be said")
        endpoint, region = asked.get("endpoint"), asked.get("region", "us-east-1")
        if endpoint is not None:
            server = urlsplit(endpoint)
            if server.scheme not in ("http", "https") or not server.netloc or server.query or server.username:
                raise ValueError(like)
        if not _REGION.fullmatch(region):
            raise ValueError(like)
        return cls(bucket, prefix, endpoint, region)

    def below(self, name: str) -> S3Address:
        """Return the place of that name in this one."""
        return replace(self, prefix=f"{self.prefix}/{name}" if self.prefix else name)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"
