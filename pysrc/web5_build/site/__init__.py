"""The static site: pages, boot files, offline list, licences and weights."""
