"""`transcript` writes every form of a conversation whole, or not at all, and names each line that is none."""

import csv
import io
import json
import os
import stat
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from cybertip.cases.references import MessageId, ThreadId, UserRef
from cybertip.cases.transcripts import COLUMNS, Message, read_lines, write_coop_table, write_lines, write_table

TEXTS = ("hello", "=1+1", "\x00\x1b[31m", "\u0634\u0643\u0631 \U0001f468\u200d\U0001f469", "a\nb\u2028c", "'", "")


def messages(count: int = len(TEXTS)) -> list[Message]:
    """Return a conversation of invented people."""
    return [
        Message(
            id=MessageId(f"m{number}"),
            thread=ThreadId("t1"),
            sent_at=datetime(2025, 1, 1, 13, 5, tzinfo=UTC),
            sender=UserRef(id="u1", type_id="user"),
            recipients=(UserRef(id="u2", type_id="user"),),
            text=TEXTS[number % len(TEXTS)],
        )
        for number in range(count)
    ]


@pytest.fixture
def lines(place: Path) -> Path:
    """A transcript, its keys in an order that nobody prescribes."""
    canonical = b"".join(write_lines(messages())).decode("ascii")
    spelled = [dict(reversed(json.loads(line).items())) for line in canonical.splitlines()]
    path = place / "in.jsonl"
    path.write_text("\n\n".join(json.dumps(one, ensure_ascii=False) for one in spelled), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("words", "write"),
    [
        (("out.csv",), write_table),
        (("out.CSV",), write_table),
        (("out.coop.csv",), write_coop_table),
        (("out.jsonl",), write_lines),
        (("out.csv", "--as", "coop"), write_coop_table),
        (("out.txt", "--as", "table"), write_table),
        (("out.csv", "--as", "lines"), write_lines),
    ],
)
def test_the_ending_or_the_option_says_what_is_written(
    run: Any, place: Path, lines: Path, words: tuple[str, ...], write: Any
) -> None:
    """Each form is just what the library writes, and the command says what it wrote."""
    done = run("transcript", lines, *words)
    assert (done.exit_code, done.stderr) == (0, "")
    written = write(messages())
    assert (place / words[0]).read_bytes() == b"".join(written)
    assert json.loads(done.stdout) == {
        "out": words[0],
        "messages": len(TEXTS),
        "size": written.size,
        "sha256": written.sha256,
    }


def test_a_table_opens_without_a_formula(run: Any, place: Path, lines: Path) -> None:
    """What the command writes goes into a spreadsheet, cell by cell, and none of it runs."""
    assert run("transcript", lines, "out.csv").exit_code == 0
    sheet = Workbook().active
    assert sheet is not None
    text = (place / "out.csv").read_bytes().decode("utf-8-sig")
    for row in csv.reader(io.StringIO(text, newline="")):
        sheet.append(row)
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert len(cells) == (len(TEXTS) + 1) * len(COLUMNS)
    assert not [cell.coordinate for cell in cells if cell.data_type == "f"]


def test_lines_are_checked_and_spelled_canonically(run: Any, place: Path, lines: Path) -> None:
    """From lines to lines, the messages are the same, each spelled in the one way that there is; twice changes nothing."""
    assert run("transcript", lines, "out.jsonl").exit_code == 0
    first = (place / "out.jsonl").read_bytes()
    assert list(read_lines(io.BytesIO(first))) == messages()
    assert run("transcript", "out.jsonl", "out.jsonl").exit_code == 0
    assert (place / "out.jsonl").read_bytes() == first


def test_it_reads_and_writes_pipes(run: Any, lines: Path) -> None:
    """Standard input and standard output do as well as files, and nothing else is printed among them."""
    done = run("transcript", "-", "-", "--as", "coop", "--exact", given=lines.read_bytes())
    assert done.exit_code == 0
    assert done.stdout_bytes == b"".join(write_coop_table(messages(), neutralise=False))


def test_every_bad_line_is_named_and_nothing_is_written(run: Any, place: Path, lines: Path) -> None:
    """One run names each line that is no message, by its number and never by what it says; OUT stays as it was."""
    good = b"".join(write_lines(messages(2))).splitlines()
    bad = [
        b"canary",
        json.dumps({**json.loads(good[0]), "text": 7, "port": "canary"}).encode(),
        json.dumps({**json.loads(good[0]), "canary": "canary"}).encode(),
        json.dumps({**json.loads(good[0]), "text": "canary\ud83d"}).encode(),
        json.dumps({**json.loads(good[0]), "sentAt": "2025-01-01T00:00:00"}).encode(),
    ]
    lines.write_bytes(b"\n".join([good[0], *bad, good[1]]))
    (place / "out.csv").write_text("before")
    done = run("transcript", lines, "out.csv")
    assert (done.exit_code, done.stdout) == (1, "")
    said = [one.partition(": ")[::2] for one in done.stderr.splitlines()]
    assert [where for where, _ in said] == [f"{lines}, line {number}" for number in (2, 3, 3, 4, 5, 6)]
    assert {what.split(":")[0] for _, what in said[1:3]} == {"port", "text"}
    assert "canary" not in done.stderr.replace(str(lines), "")
    assert (place / "out.csv").read_text() == "before"
    assert not list(place.glob(".out*"))


def test_nothing_follows_a_bad_line(run: Any, place: Path) -> None:
    """Where what is written cannot be taken back, nothing comes after the gap that a bad line leaves."""
    line = b"".join(write_lines(messages(1)))
    (place / "in.jsonl").write_bytes(b"canary\n" + line * 1000)
    done = run("transcript", "in.jsonl", "-", "--as", "lines")
    assert (done.exit_code, done.stdout) == (1, "")


def test_endless_faults_are_not_all_named(run: Any, place: Path) -> None:
    """A file of something else is given up after a hundred lines."""
    (place / "in.jsonl").write_bytes(b"{}\n" * 100_000)
    done = run("transcript", "in.jsonl", "out.csv")
    assert done.exit_code == 1
    assert len(done.stderr.splitlines()) < 110
    assert done.stderr.endswith("no more was read\n")


def test_the_transcript_is_for_its_owner(run: Any, place: Path, lines: Path) -> None:
    """What people wrote to each other can be read by nobody else on the machine, in its place and on its way there."""
    (place / "out.csv").write_text("before")
    (place / "out.csv").chmod(0o644)
    assert run("transcript", lines, "out.csv").exit_code == 0
    assert stat.S_IMODE((place / "out.csv").stat().st_mode) == 0o600


def test_a_link_is_followed_and_a_device_stays(run: Any, place: Path, lines: Path) -> None:
    """OUT may be a link to a file, and may be /dev/null, for whoever only wants to check."""
    (place / "there").mkdir()
    (place / "out.csv").symlink_to(place / "there" / "real.csv")
    assert run("transcript", lines, "out.csv").exit_code == 0
    assert (place / "out.csv").is_symlink()
    assert (place / "there" / "real.csv").read_bytes() == b"".join(write_table(messages()))
    assert run("transcript", lines, os.devnull, "--as", "lines").exit_code == 0
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("in.jsonl", "out.txt"), "OUT must end in .coop.csv, .csv, .jsonl"),
        (("in.jsonl", "-"), "--as must say"),
        (("in.jsonl", "out.csv", "--exact"), "--exact is for Coop's columns"),
        (("nowhere.jsonl", "out.csv"), "nowhere.jsonl: No such file"),
        (("in.jsonl", "nowhere/out.csv"), "there is no folder"),
    ],
)
def test_misuse_is_explained(run: Any, lines: Path, words: tuple[str, ...], complaint: str) -> None:
    """What cannot be done is said, with exit code 2, before anything is written."""
    done = run("transcript", *words)
    assert done.exit_code == 2
    assert complaint in done.stderr


def test_a_person_reads_a_line(on_a_terminal: Any, lines: Path) -> None:
    """On a terminal the digest and the number of messages are a sentence."""
    code, seen = on_a_terminal("transcript", lines, "out.csv")
    assert code == 0
    digest = write_table(messages())
    b"".join(digest)
    assert f"out.csv: {len(TEXTS)} messages, SHA-256" in seen
    assert digest.sha256 in seen.replace("\r\n", "")


def test_any_length_streams(run: Any, place: Path) -> None:
    """Ten times the messages take no more memory."""
    line = b"".join(write_lines(messages(1)))

    def peak(count: int) -> int:
        (place / "in.jsonl").write_bytes(line * count)
        tracemalloc.start()
        try:
            assert run("transcript", "in.jsonl", "out.csv").exit_code == 0
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(20)  # what is made once
    assert peak(2_000) < peak(200) + 300_000
