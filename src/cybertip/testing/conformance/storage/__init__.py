"""The suite of the port `cybertip.ports.storage`, by the subjects of its methods."""
