"""`python -m cybertip` is the `cybertip` command."""

from cybertip.cli import main

if __name__ == "__main__":
    main()
