"""The messages that an endpoint really holds, and those that it has lost: compared, suspected, put back."""
