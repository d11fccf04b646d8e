"""What the demonstration's reviewer decides. Of real cases no program decides anything."""

from cybertip.cases.decisions import Decision, MediaDecision, ThreadDecision
from cybertip.cases.references import ItemRef, MessageId
from cybertip.cli.demo.platform import THREAD
from cybertip.model import FileClassification, FileRelevance, IncidentType, ReportAnnotations

__all__ = ["decision"]


def decision(viewed: ItemRef, unviewed: ItemRef) -> Decision:
    """Report two files and four of five messages. That a file was viewed is a record of its own: nothing here says so."""
    return Decision(
        incident_type=IncidentType.CHILD_PORNOGRAPHY,
        annotations=ReportAnnotations(minor_to_minor_interaction=True),
        media=(
            MediaDecision(
                media=viewed,
                include=True,
                relevance=FileRelevance.REPORTED,
                classification=FileClassification.B2,
            ),
            MediaDecision(media=unviewed, include=True, relevance=FileRelevance.REPORTED),
        ),
        threads=(ThreadDecision(thread=THREAD, messages=tuple(MessageId(f"message-{n}") for n in range(1, 5))),),
        additional_info="Synthetic data, decided by a script.",
    )
