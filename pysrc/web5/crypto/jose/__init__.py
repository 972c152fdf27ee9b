"""JSON Web Keys, Signatures and Encryption."""
