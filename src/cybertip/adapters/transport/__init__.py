"""Ways to NCMEC."""
