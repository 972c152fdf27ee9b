"""The answers to a browser that asks for https://dweb/{did}/…: records, and questions about them."""
