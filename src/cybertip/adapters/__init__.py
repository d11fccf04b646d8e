"""Ready-made answers to the library's ports: `adapters/<port>/<technology>.py`."""
