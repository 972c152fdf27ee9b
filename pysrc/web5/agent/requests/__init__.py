"""Questions to DWNs, local and remote, and the replies checked before anybody gets them."""
