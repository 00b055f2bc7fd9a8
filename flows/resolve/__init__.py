"""Names that people give, and what is stored under them."""
