"""The site that a page belongs to, and the settings of its `config.json`."""
