"""One exchange with NCMEC as values: a request to send, a reply to understand. It never sends."""

from cybertip.protocol.codes import Code, error_for
from cybertip.protocol.credentials import Credentials
from cybertip.protocol.endpoints import Endpoint
from cybertip.protocol.environment import Environment
from cybertip.protocol.multipart import FilePart, Frame, frame
from cybertip.protocol.replies import (
    Answer,
    Described,
    Finished,
    Opened,
    Reply,
    Retracted,
    SchemaReply,
    StatusReply,
    Uploaded,
)
from cybertip.protocol.requests import Request, describe, finish, retract, schema, status, submit, upload
from cybertip.protocol.understanding import understand

__all__ = [
    "Answer",
    "Code",
    "Credentials",
    "Described",
    "Endpoint",
    "Environment",
    "FilePart",
    "Finished",
    "Frame",
    "Opened",
    "Reply",
    "Request",
    "Retracted",
    "SchemaReply",
    "StatusReply",
    "Uploaded",
    "describe",
    "error_for",
    "finish",
    "frame",
    "retract",
    "schema",
    "status",
    "submit",
    "understand",
    "upload",
]
