"""`web5.dwn.messages`: messages as they were signed, and their verification."""
