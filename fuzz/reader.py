"""Look for bytes that make the reader do anything but read or refuse, guided by coverage, for as long as it is let.

Needs atheris, which is no dependency of the project. Run it from the root of the repository:

    python -m pip install atheris
    python fuzz/reader.py -max_total_time=600 -timeout=10 -rss_limit_mb=2048 NEW_SEEDS tests/seeds

`NEW_SEEDS` is an empty directory for what it finds interesting. Where it stops with a crash, the bytes are in a file named
`crash-...`: keep them as a seed in `tests/seeds`, so that `tests/xml/test_fuzz.py` reads them from then on.
"""

import sys

import atheris

with atheris.instrument_imports(include=["cybertip"]):
    from cybertip import InvalidReport, from_json, read, to_json, write

# The functions that read and write are compiled at first use; what they do is reached through these.
NEWEST = "2026-08"


def look(data: bytes) -> None:
    """Read bytes; what was read can be written and read again, as XML and as JSON."""
    try:
        document = read(data)
    except InvalidReport:
        return
    assert read(write(document, edition=NEWEST)) == document
    assert from_json(to_json(document)) == document


if __name__ == "__main__":
    atheris.Setup(sys.argv, look)
    atheris.Fuzz()
