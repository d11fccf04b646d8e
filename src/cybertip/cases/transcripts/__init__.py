"""Conversations, as they go to an investigator.

The canonical transcript is JSON Lines (`write_lines`, `read_lines`): one message a line, digested. A table for people
(`write_table`) and Coop's eight columns (`write_coop_table`) are views of it. All of them stream: messages go in one by one,
blocks of bytes come out, and a million messages take no more memory than a few.
"""

from cybertip.cases.transcripts.coop import write_coop_table
from cybertip.cases.transcripts.lines import read_lines, write_lines
from cybertip.cases.transcripts.message import Message
from cybertip.cases.transcripts.names import file_name
from cybertip.cases.transcripts.table import COLUMNS, write_table
from cybertip.cases.transcripts.written import Written

__all__ = [
    "COLUMNS",
    "Message",
    "Written",
    "file_name",
    "read_lines",
    "write_coop_table",
    "write_lines",
    "write_table",
]
