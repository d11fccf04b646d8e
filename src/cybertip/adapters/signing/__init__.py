"""Keys that vouch for checkpoints."""
