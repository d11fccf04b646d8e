"""Ways to wake a worker."""
