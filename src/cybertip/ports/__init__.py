"""What the library needs from outside, as protocols. Each has its ready-made answers in `cybertip.adapters`."""
