"""What is said of files: each field by its rule, and no view without its record."""

from typing import Any

import attrs
import pytest

from cybertip.cases.enrichment import MediaHash
from cybertip.cases.references import ItemRef, MessageId, ThreadId
from cybertip.cases.signals import Media
from cybertip.model import (
    FileAnnotations,
    FileClassification,
    FileRelevance,
    Hash,
    IpCaptureType,
    MetadataType,
    NameValue,
)

REPORTED, SUPPLEMENTAL = FileRelevance.REPORTED, FileRelevance.SUPPLEMENTAL_REPORTED


class TestViews:
    """Whether a person viewed a file is said by the records of views alone."""

    @pytest.mark.parametrize(
        ("views", "file", "exif"),
        [
            ([], None, None),
            ([{"wholly": True}], True, False),
            ([{"wholly": False}], False, False),
            ([{"wholly": True, "exif": True}], True, True),
            ([{"wholly": False}, {"wholly": True}], True, False),
            ([{"wholly": False, "exif": True}, {"wholly": True}], True, True),
            ([{"wholly": False, "exif": True}], False, None),
        ],
    )
    def test_they_say_what_was_viewed(self, kit: Any, views: Any, file: Any, exif: Any) -> None:
        """All of it, a part, or nobody knows: and NCMEC is never told of EXIF data that it would refuse to hear of."""
        decision = kit.decision(kit.included(views=tuple(kit.view(**one) for one in views)))
        said = kit.described(kit.assembled(None, decision))
        assert (said.file_viewed_by_esp, said.exif_viewed_by_esp) == (file, exif)

    def test_the_case_remembers_views_too(self, kit: Any) -> None:
        """A view that was recorded while the case was open counts as one that the decision brings."""
        case = kit.case(kit.Joined(signal=kit.signal(kit.media())), kit.kept(), kit.viewed())
        assert kit.described(kit.assembled(case)).file_viewed_by_esp is True

    def test_a_view_of_other_bytes_is_none(self, kit: Any) -> None:
        """Whoever looked at another file has not looked at this one."""
        case = kit.case(
            kit.Joined(signal=kit.signal(kit.media(1), kit.media(2))),
            kit.kept(1),
            kit.kept(2),
            kit.viewed(2),
        )
        made = kit.assembled(case, kit.decision(kit.included(1), kit.included(2)))
        assert [kit.described(made, index).file_viewed_by_esp for index in (0, 1)] == [None, True]
        claimed = kit.decision(kit.included(1, views=(kit.view(2),)))
        assert kit.refused(kit.case_of(1), claimed) == {"decision.media[0].views": "other-bytes"}

    def test_neither_a_match_nor_a_classification_is_a_view(self, kit: Any) -> None:
        """What a program found, and what a reviewer decided, is said apart from who looked."""
        case = kit.case(kit.Joined(signal=kit.matched(1, distance=3)), kit.kept())
        decision = kit.decision(kit.included(classification=FileClassification.A1))
        said = kit.described(kit.assembled(case, decision))
        assert said.file_viewed_by_esp is said.exif_viewed_by_esp is None
        assert said.industry_classification is FileClassification.A1
        (told,) = said.additional_infos
        assert "the list invented list, by PDQ, at a distance of 3" in told
        assert "whether a person viewed the file is said apart" in told

    def test_what_the_field_cannot_say_is_said_in_words(self, kit: Any) -> None:
        """EXIF data that was viewed without all of the file is neither kept back nor made a view of the file."""
        made = kit.assembled(None, kit.decision(kit.included(views=(kit.view(wholly=False, exif=True),))))
        assert "not all of it" in kit.described(made).additional_infos[0]
        assert kit.rules(made) == {"decision.media[0]": "exif-in-words"}

    def test_nobody_viewed_what_a_program_wrote(self, kit: Any) -> None:
        """Transcripts and files that the platform added claim no view, even of bytes that somebody viewed elsewhere."""
        case = kit.case(kit.viewed(77))
        made = kit.assembled(case, kit.decision(), attachments=[kit.transcript(), kit.supplemental()])
        for index in (0, 1):
            assert (
                kit.described(made, index).file_viewed_by_esp is kit.described(made, index).exif_viewed_by_esp is None
            )


class TestNames:
    """A file is sent under a name that is safe, and keeps what its user called it."""

    def names(self, kit: Any, *files: Media) -> list[Any]:
        """Assemble; return the names of files."""
        events = [attrs.evolve(kit.kept(number), media=one.ref) for number, one in enumerate(files, start=1)]
        case = kit.case(kit.Joined(signal=kit.signal(*files)), *events)
        decision = kit.decision(*(attrs.evolve(kit.included(), media=one.ref) for one in files))
        made = kit.assembled(case, decision)
        for file in made.filing.files:
            assert file.description is not None
            assert file.description.file_name == file.name
        return [file.name for file in made.filing.files]

    def test_the_users_name_is_kept_as_it_is(self, kit: Any) -> None:
        """The platform's answer goes before a signal's word, and neither is changed."""
        case = kit.case(kit.Joined(signal=kit.signal(kit.media(file_name="signal's.PNG"))), kit.kept())
        assert kit.described(kit.assembled(case)).original_file_name == "signal's.PNG"
        answer = kit.answered(kit.decision(kit.included()), kit.info(file_name="../../answer.gif"))
        made = kit.assembled(case, enrichment=answer)
        assert kit.described(made).original_file_name == "../../answer.gif"
        assert made.filing.files[0].name == "m1.gif"
        blank = kit.answered(kit.decision(kit.included()), kit.info(file_name=" "))
        assert kit.described(kit.assembled(enrichment=blank)).original_file_name is None

    def test_whichever_signal_tells_is_heard(self, kit: Any) -> None:
        """A file that a match named first has the name, the kind and the time that a user's report gave it later."""
        early = kit.signal(Media(ref=kit.image()))
        late = kit.signal(kit.media(file_name="late.png"), id="s9")
        case = kit.case(kit.Joined(signal=early), kit.Joined(signal=late), kit.kept())
        made = kit.assembled(case)
        said = kit.described(made)
        assert (said.original_file_name, said.uploaded_to_esp_timestamp) == ("late.png", kit.UPLOADED)
        assert made.filing.files[0].media_type == "image/png"

    def test_the_ending_is_that_of_the_name_or_of_the_kind(self, kit: Any) -> None:
        """An investigator's machine can tell what a file is."""
        files = [
            kit.media(1, file_name="a.b.JPEG"),
            kit.media(2),
            kit.media(3, media_type="x/y"),
            kit.media(4, file_name="a."),
        ]
        assert self.names(kit, *files) == ["m1.jpeg", "m2.png", "m3", "m4.png"]

    def test_each_name_is_given_once(self, kit: Any) -> None:
        """Two things of different kinds and one identifier stay apart."""
        refs = [ItemRef(id="m1", type_id=kind) for kind in ("image", "video", "sound")]
        names = self.names(kit, *(Media(ref=ref, uploaded_at=kit.UPLOADED) for ref in refs))
        assert names[0] == "m1"
        assert len(set(names)) == 3


class TestDetails:
    """What else is known of a file goes into its details."""

    def test_what_the_reviewer_said(self, kit: Any) -> None:
        """Relevance, classification and tags are as decided; what was not said is left out."""
        decision = kit.decision(
            kit.included(
                relevance=REPORTED, classification=FileClassification.B2, annotations=FileAnnotations(infant=True)
            )
        )
        said = kit.described(kit.assembled(None, decision))
        assert (said.file_relevance, said.industry_classification) == (REPORTED, FileClassification.B2)
        assert said.file_annotations == FileAnnotations(infant=True)
        nothing = kit.described(kit.assembled(None, kit.decision(kit.included(annotations=FileAnnotations()))))
        assert nothing.file_relevance is nothing.industry_classification is nothing.file_annotations is None

    @pytest.mark.parametrize("public", [True, False, None])
    def test_whether_it_was_public_is_the_platforms_word(self, kit: Any, public: bool | None) -> None:
        """The platform knows; where it says nothing, nothing is said."""
        answer = kit.answered(kit.decision(kit.included()), kit.info(publicly_available=public))
        assert kit.described(kit.assembled(enrichment=answer)).publicly_available is public

    def test_the_platforms_texts_are_kept(self, kit: Any) -> None:
        """Each text stands by itself; an empty one says nothing and is left out."""
        answer = kit.answered(kit.decision(kit.included()), kit.info(additional_infos=("one", "", "two")))
        assert kit.described(kit.assembled(enrichment=answer)).additional_infos == ("one", "two")

    def test_a_hash_goes_where_it_belongs(self, kit: Any) -> None:
        """A digest vouches for the original's bytes; PDQ does not, and is never passed off as one."""
        decision = kit.decision(kit.included(1), kit.included(2))
        md5, pdq = MediaHash(value=f"{1:032x}", type="md5"), MediaHash(value="ab" * 32, type="PDQ")
        made = kit.assembled(None, decision, kit.answered(decision, kit.info(1, hash=md5), kit.info(2, hash=pdq)))
        first, second = (kit.described(made, index) for index in (0, 1))
        assert (first.original_file_hashes, first.details) == ((Hash(value=f"{1:032x}", hash_type="MD5"),), ())
        assert second.original_file_hashes == ()
        assert second.details[0].type is MetadataType.HASH
        assert second.details[0].name_value_pairs == (NameValue(name="PDQ", value="ab" * 32),)
        assert made.findings == ()

    def test_other_bytes_than_the_original_are_noticed(self, kit: Any) -> None:
        """Where the platform's digest is not that of the bytes that are kept, somebody should know."""
        answer = kit.answered(kit.decision(kit.included()), kit.info(hash=MediaHash(value="ab" * 32, type="SHA-256")))
        assert kit.rules(kit.assembled(enrichment=answer)) == {"decision.media[0]": "other-bytes"}
        same = kit.answered(
            kit.decision(kit.included()), kit.info(hash=MediaHash(value=kit.digest().upper(), type="sha256"))
        )
        assert kit.assembled(enrichment=same).findings == ()

    def test_the_upload_is_the_files_event(self, kit: Any) -> None:
        """Of several, the upload nearest to the time of upload; the others are the user's, with a finding."""
        login, early, near = kit.event(0, IpCaptureType.LOGIN), kit.event(-5), kit.event(1)
        answer = kit.answered(kit.decision(kit.included()), kit.info(ip_capture_events=(login, early, near)))
        made = kit.assembled(enrichment=answer)
        assert kit.described(made).ip_capture_event == near
        assert kit.reported(made).ip_capture_events == (login, early)

    def test_the_manifest_is_of_what_is_kept(self, kit: Any) -> None:
        """The entry names the kept bytes by reference, size and digests, in the order of the decision."""
        made = kit.assembled(None, kit.decision(kit.included(2), kit.included(1)))
        assert [(one.evidence, one.sha256, one.size) for one in made.filing.files] == [
            ("e2", kit.digest(2), 9),
            ("e1", kit.digest(1), 9),
        ]
        assert {one.media_type for one in made.filing.files} == {"image/png"}
        assert [kit.described(made, index).uploaded_to_esp_timestamp for index in (0, 1)] == [
            kit.media(2).uploaded_at,
            kit.media(1).uploaded_at,
        ]

    def test_a_media_type_that_cannot_be_sent_is_not(self, kit: Any) -> None:
        """A word that is no media type would stop the upload: the file goes as plain bytes, and somebody is told."""
        case = kit.case(kit.Joined(signal=kit.signal(kit.media(media_type="a picture"))), kit.kept())
        made = kit.assembled(case, attachments=[kit.supplemental(media_type="none")])
        assert {one.media_type for one in made.filing.files} == {"application/octet-stream"}
        assert kit.rules(made) == {"decision.media[0]": "media-type", "attachments[0]": "media-type"}


class TestAttachments:
    """Transcripts and files that the platform added go with the report."""

    def test_text_alone_is_what_is_reported(self, kit: Any) -> None:
        """In a report without media the transcripts are the reported content; beside media they belong to it."""
        alone = kit.assembled(None, kit.decision(), attachments=[kit.transcript(), kit.supplemental()])
        assert [kit.described(alone, index).file_relevance for index in (0, 1)] == [REPORTED, SUPPLEMENTAL]
        beside = kit.decision(kit.included(), threads=kit.decision().threads)
        made = kit.assembled(None, beside, attachments=[kit.transcript()])
        assert kit.described(made, 1).file_relevance is SUPPLEMENTAL

    def test_they_say_what_they_are(self, kit: Any) -> None:
        """A transcript tells its conversation and that a program wrote it; a file has the platform's words."""
        attachments = [kit.transcript(), kit.supplemental(additional_infos=("supporting", " "))]
        made = kit.assembled(None, kit.decision(), attachments=attachments)
        first, second = (kit.described(made, index) for index in (0, 1))
        assert "Transcript of 2 messages of the conversation t1" in first.additional_infos[0]
        assert (first.file_name, second.file_name) == ("t1.jsonl", "evidence.pdf")
        assert second.additional_infos == ("supporting",)
        assert [file.evidence for file in made.filing.files] == ["e-t1", "e-t1"]

    def test_each_conversation_has_its_transcript(self, kit: Any) -> None:
        """Messages that were decided on and are not there, are too few, or are of another conversation, stop the filing."""
        decision = kit.decision()
        assert kit.refused(None, decision) == {"decision.threads[0]": "absent", "decision.incident_at": "required"}
        short = [kit.transcript(), kit.transcript(messages=1)]
        assert kit.refused(None, decision, attachments=short) == {"attachments[1]": "other-messages"}
        strange = [kit.transcript(), kit.transcript(thread=ThreadId("t2"))]
        assert kit.refused(None, decision, attachments=strange) == {"attachments[1]": "stranger"}

    def test_what_is_wrong_leads_to_the_file(self, kit: Any) -> None:
        """A violation in what goes with a report is named by its place among those."""
        attachments = [kit.supplemental(), kit.supplemental(additional_infos=("a\x00b",))]
        assert kit.refused(attachments=attachments) == {"attachments[1].additional_infos[0]": "xml-character"}


class TestObstacles:
    """What must be there and is not keeps a case from being filed, and says what it is."""

    def test_a_file_that_is_not_kept(self, kit: Any) -> None:
        """Evidence is preserved before anything is filed."""
        case = kit.case(kit.Joined(signal=kit.signal(kit.media())))
        assert kit.refused(case)["decision.media[0]"] == "not-kept"

    def test_a_file_of_which_nothing_was_asked(self, kit: Any) -> None:
        """An answer without an entry for a file is incomplete."""
        enrichment = kit.answered(kit.decision(threads=kit.decision().threads))
        assert kit.refused(enrichment=enrichment)["decision.media[0]"] == "absent"

    def test_nothing_but_missing_files(self, kit: Any) -> None:
        """Where every file is gone, there is no report, for good."""
        decision = kit.decision(kit.included())
        enrichment = attrs.evolve(kit.answered(decision), media={}, missing=(kit.image(),))
        assert kit.refused(None, decision, enrichment)["decision.media"] == "all-missing"

    def test_files_that_nobody_decided_on_are_noticed(self, kit: Any) -> None:
        """A decision about some of the files says so; what is missing needs no decision."""
        assert kit.rules(kit.assembled(kit.case_of(1, 2, missing=[3]))) == {"decision.media": "undecided"}

    def test_many_messages_are_one_transcript(self, kit: Any) -> None:
        """How many messages were decided on is compared with how many there are."""
        threads = tuple(
            attrs.evolve(one, messages=tuple(MessageId(str(number)) for number in range(500)))
            for one in kit.decision().threads
        )
        decision = kit.decision(threads=threads)
        assert len(kit.assembled(None, decision, attachments=[kit.transcript(messages=500)]).filing.files) == 1
