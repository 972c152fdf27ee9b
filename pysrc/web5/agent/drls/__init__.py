"""What a browser is answered that asks for https://dweb/{did}/…: records, and questions about them."""
