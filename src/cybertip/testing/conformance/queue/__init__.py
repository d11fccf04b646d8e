"""The suite of the port `cybertip.ports.queue`."""
