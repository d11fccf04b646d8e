"""The `cybertip` command."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command, or say which extra it needs."""
    try:
        from cybertip.cli.app import app
    except ModuleNotFoundError as error:
        if error.name not in ("rich", "typer"):
            raise
        sys.exit("The command needs the extra [cli]: python -m pip install 'cybertip[cli]'")
    app()
