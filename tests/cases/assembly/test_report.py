"""What the report says: each field by its rule, from what was decided, answered and set."""

from datetime import timedelta
from typing import Any

import attrs
import pytest

from cybertip.cases.enrichment import AdditionalFile, UserInfo
from cybertip.cases.profile import IncidentKind
from cybertip.cases.references import UserRef
from cybertip.model import (
    BatchedReportReason,
    ChatImIncident,
    Email,
    FileAnnotations,
    FileRelevance,
    IncidentType,
    IntendedRecipient,
    Person,
    ReportAnnotations,
    ReportId,
    Victim,
    WebPageIncident,
)

BATCHED = BatchedReportReason.VIRAL_POTENTIAL_MEME
VIRAL = FileAnnotations(viral=True)


def test_what_happened_is_what_was_decided(kit: Any) -> None:
    """The kind of incident, the escalation and the tags are the reviewer's words, and nothing is added."""
    tags = ReportAnnotations(sextortion=True)
    decision = kit.decision(kit.included(), escalation="invented reason", annotations=tags)
    summary = kit.assembled(None, decision).filing.report.incident_summary
    assert (summary.incident_type, summary.report_annotations) == (IncidentType.CHILD_PORNOGRAPHY, tags)
    assert summary.escalate_to_high_priority == "invented reason"
    plain = kit.assembled(None, kit.decision(kit.included(), annotations=ReportAnnotations())).filing.report
    assert plain.incident_summary.report_annotations is plain.incident_summary.escalate_to_high_priority is None


class TestIncidentTime:
    """When it happened is taken from what is reported, unless the reviewer says, and the report tells which it is."""

    def summary(self, kit: Any, *args: Any, **given: Any) -> tuple[Any, str]:
        """Assemble; return the time and its description."""
        summary = kit.assembled(*args, **given).filing.report.incident_summary
        return summary.incident_date_time, summary.incident_date_time_description

    def test_it_is_when_the_newest_file_was_uploaded(self, kit: Any) -> None:
        """Of several files, the newest tells; not the signal, which is of when somebody noticed."""
        decision = kit.decision(kit.included(2), kit.included(3), kit.included(1))
        at, meaning = self.summary(kit, None, decision)
        assert at == kit.UPLOADED + timedelta(hours=2)
        assert "newest of the reported files" in meaning

    def test_what_is_reported_goes_before_what_belongs_to_it(self, kit: Any) -> None:
        """A supplemental file that is newer tells nothing about the incident, unless there is no other."""
        supplemental = kit.included(3, relevance=FileRelevance.SUPPLEMENTAL_REPORTED)
        assert self.summary(kit, None, kit.decision(kit.included(1), supplemental))[0] == kit.UPLOADED
        assert self.summary(kit, None, kit.decision(supplemental))[0] == kit.UPLOADED + timedelta(hours=2)

    def test_a_file_that_is_left_out_tells_nothing(self, kit: Any) -> None:
        """What is not reported is no part of the incident."""
        decision = kit.decision(kit.included(1), attrs.evolve(kit.included(2), include=False))
        assert self.summary(kit, kit.case_of(1, 2), decision)[0] == kit.UPLOADED

    def test_without_files_it_is_when_the_newest_message_was_sent(self, kit: Any) -> None:
        """A report of text alone is of the newest of its messages."""
        newest = kit.UPLOADED + timedelta(minutes=7)
        transcripts = [kit.transcript(newest_at=newest), kit.transcript()]
        at, meaning = self.summary(kit, None, kit.decision(), attachments=transcripts)
        assert at == newest
        assert "newest of the reported messages" in meaning

    def test_the_reviewers_word_goes_first(self, kit: Any) -> None:
        """Somebody who knows better says so."""
        before = kit.UPLOADED - timedelta(days=1)
        at, meaning = self.summary(kit, None, kit.decision(kit.included(), incident_at=before))
        assert at == before
        assert "reviewer" in meaning

    def test_none_is_made_up(self, kit: Any) -> None:
        """Where nothing tells, the reviewer is asked; the time of a signal, or now, would mislead."""
        case = kit.case(kit.Joined(signal=kit.signal(kit.media(1, uploaded_at=None))), kit.kept())
        assert kit.refused(case) == {"decision.incident_at": "required"}
        assert kit.refused(kit.case(), kit.decision(additional_info="invented")) == {"decision.incident_at": "required"}

    def test_one_that_is_yet_to_come_is_refused(self, kit: Any) -> None:
        """A time in the future is shown to the reviewer, and never brought back to now."""
        decision = kit.decision(kit.included(), incident_at=kit.NOW + timedelta(minutes=1))
        assert kit.refused(None, decision) == {"report.incident_summary.incident_date_time": "past"}
        assert kit.assembled(None, decision, now=kit.NOW + timedelta(minutes=2))


def test_where_it_happened_is_what_the_profile_says(kit: Any) -> None:
    """The default incident of the organisation, with its page where it has one; none where none is set."""
    page = attrs.evolve(kit.PROFILE, default_incident=IncidentKind.WEB_PAGE, more_info_url="https://example.com/p")
    for profile, wanted in (
        (kit.PROFILE, (ChatImIncident(),)),
        (page, (WebPageIncident(urls=("https://example.com/p",)),)),
        (attrs.evolve(kit.PROFILE, default_incident=None), ()),
    ):
        assert kit.assembled(profile=profile).filing.report.internet_details == wanted


def test_who_reports_is_the_profile(kit: Any) -> None:
    """The organisation describes itself, and is asked for the email without which NCMEC takes no report."""
    assert kit.assembled().filing.report.reporter == kit.PROFILE.reporter()
    nameless = attrs.evolve(kit.PROFILE, reporter_email=None)
    assert kit.refused(profile=nameless) == {"profile.reporter_email": "required"}


class TestUser:
    """Whom it is about: as the platform knows them, and nothing made up."""

    def test_an_identifier_is_no_screen_name(self, kit: Any) -> None:
        """Where the platform knows nothing more, the user has an identifier and the company's name."""
        user = kit.reported(kit.assembled())
        assert (user.esp_identifier, user.esp_service) == ("u1", "Example")
        assert user.screen_name is user.person_or_user_reported_person is None
        assert user.display_names == user.ip_capture_events == user.prior_ct_reports == ()
        assert (
            kit.reported(
                kit.assembled(enrichment=kit.answered(kit.decision(kit.included()), kit.user(screen_name=" ")))
            ).screen_name
            is None
        )

    def test_what_the_platform_knows_is_said(self, kit: Any) -> None:
        """Screen name, emails, names that others see and IP events come from the answer."""
        emails = (Email(value="user@example.com", verified=True),)
        known = kit.user(
            screen_name="invented",
            emails=emails,
            data={"displayName": ["Invented", "Invented", 7]},
            ip_capture_events=(kit.event(),),
        )
        user = kit.reported(kit.assembled(enrichment=kit.answered(kit.decision(kit.included()), known)))
        assert user.screen_name == "invented"
        assert user.person_or_user_reported_person == Person(emails=emails)
        assert user.display_names == ("Invented",)
        assert user.ip_capture_events == (kit.event(),)

    @pytest.mark.parametrize(
        ("data", "names"),
        [({"displayName": "A"}, ("A",)), ({"displayName": {"x": 1}}, ()), ({"displayName": ""}, ()), ({}, ())],
    )
    def test_a_display_name_is_a_text(self, kit: Any, data: Any, names: Any) -> None:
        """In a form of the platform's own, only texts are names."""
        decision = kit.decision(kit.included())
        assert (
            kit.reported(kit.assembled(enrichment=kit.answered(decision, kit.user(data=data)))).display_names == names
        )

    def test_each_event_is_said_once(self, kit: Any) -> None:
        """The user's own events and what files had no room for are joined: one entry for each address, time and event."""
        decision = kit.decision(kit.included())
        near, far = kit.event(0), kit.event(-9)
        enrichment = kit.answered(
            decision, kit.user(ip_capture_events=(far, far)), kit.info(ip_capture_events=(far, near))
        )
        made = kit.assembled(enrichment=enrichment)
        assert kit.reported(made).ip_capture_events == (far,)
        assert kit.described(made).ip_capture_event == near
        assert kit.rules(made) == {"decision.media[0]": "several-ip-events"}

    def test_what_was_reported_before_is_linked(self, kit: Any) -> None:
        """A follow-up names every report of the same user, each once."""
        reports = (ReportId(7), ReportId(8), ReportId(7))
        assert kit.reported(kit.assembled(prior_reports=reports)).prior_ct_reports == (7, 8)

    def test_what_does_not_fit_is_shown_and_not_cut(self, kit: Any) -> None:
        """A name that is too long is refused by its place, with where it came from, and is not quoted."""
        decision = kit.decision(kit.included())
        enrichment = kit.answered(decision, kit.user(screen_name="canary" * 100))
        assert kit.refused(enrichment=enrichment) == {"case.user.screen_name": "max-length"}
        with pytest.raises(Exception, match=r"has 600 \(from answer\.users\[\]\.screenName\)") as error:
            kit.assembled(enrichment=enrichment)
        assert "canary" not in str(error.value)

    def test_the_answer_must_be_about_the_user(self, kit: Any) -> None:
        """Nothing is filed of a user of whom the platform was not asked."""
        enrichment = attrs.evolve(kit.answered(kit.decision(kit.included())), users={})
        assert kit.refused(enrichment=enrichment) == {"case.user": "absent"}


class TestOthers:
    """Victims and recipients are whom the reviewer names, completed with what the platform knows of them."""

    def test_a_child_is_described_by_the_reviewer_and_the_platform(self, kit: Any) -> None:
        """What the reviewer left out comes from the answer; what the reviewer wrote stays."""
        said = Victim(victim_person=Person(age=12), esp_identifier="u3", display_names=("Known",))
        recipient = IntendedRecipient(esp_identifier="u2", screen_name="written", esp_service="Other service")
        decision = kit.decision(kit.included(), victims=(said,), recipients=(recipient,))
        email = Email(value="child@example.com")
        known = UserInfo(
            id="u3",
            type_id="user",
            screen_name="platform's",
            emails=(email,),
            ip_capture_events=(kit.event(),),
            data={"displayName": "Seen"},
        )
        made = kit.assembled(None, decision, kit.answered(decision, known, users=(kit.CHILD, kit.OTHER)))
        (child,), (other,) = made.filing.report.victims, made.filing.report.intended_recipients
        assert child.victim_person == Person(age=12, emails=(email,))
        assert (child.screen_name, child.esp_service) == ("platform's", "Example")
        assert (child.display_names, child.ip_capture_events) == (("Known", "Seen"), (kit.event(),))
        # A user of another service is not whom the platform calls so.
        assert other == recipient
        assert kit.rules(made) == {"request.users[2]": "unused"}

    def test_a_child_of_whom_nothing_is_known_is_as_described(self, kit: Any) -> None:
        """A person without an account stays as the reviewer wrote."""
        said = Victim(victim_person=Person(first_name="Invented"))
        decision = kit.decision(kit.included(), victims=(said,))
        assert kit.assembled(None, decision).filing.report.victims == (said,)

    def test_whom_signals_name_and_the_decision_does_not_is_noticed(self, kit: Any) -> None:
        """The decision says who is named in a report; the reviewer is told who is not."""
        signal = kit.signal(kit.media(), victims=(kit.CHILD,), recipients=(kit.OTHER,))
        case = kit.case(kit.Joined(signal=signal), kit.kept())
        made = kit.assembled(case)
        assert made.filing.report.victims == made.filing.report.intended_recipients == ()
        assert kit.rules(made) == {"decision.victims": "unnamed", "decision.recipients": "unnamed"}
        named = kit.decision(
            kit.included(),
            victims=(Victim(victim_person=Person(), esp_identifier="u3"),),
            recipients=(IntendedRecipient(esp_identifier="u2"),),
        )
        assert kit.assembled(case, named).findings == ()

    def test_what_is_wrong_with_a_child_is_shown_in_the_decision(self, kit: Any) -> None:
        """A violation in the second victim leads the reviewer to the second victim."""
        people = [Victim(victim_person=Person(age=age)) for age in (12, 151)]
        decision = kit.decision(kit.included(), victims=people)
        assert kit.refused(None, decision) == {"decision.victims[1].victim_person.age": "range"}


class TestAdditionalInfo:
    """What has no field is said in words: the reviewer's, the platform's, and what is missing."""

    def test_everybodys_words_are_kept(self, kit: Any) -> None:
        """The reviewer's text comes first and the platform's after it, both whole."""
        decision = kit.decision(kit.included(), additional_info="reviewed " * 1000)
        text = kit.assembled(None, decision, kit.answered(decision, additional_info="of the platform")).filing.report
        assert text.additional_info == f"{'reviewed ' * 1000}\n\nThe platform adds:\nof the platform"
        assert (
            kit.assembled(enrichment=kit.answered(decision, additional_info=" ")).filing.report.additional_info is None
        )

    def test_what_is_missing_is_noted(self, kit: Any) -> None:
        """Each missing file is named with its reason, whether the platform lost it or it could not be kept."""
        decision = kit.decision(kit.included(1), kit.included(2))
        made = kit.assembled(
            kit.case_of(1, 2, missing=[3]), decision, kit.answered(decision, kit.info(2, missing=True))
        )
        text = made.filing.report.additional_info
        assert "image m3: its address had expired" in text
        assert "image m2: the platform says that it is gone" in text
        assert "(2 in all)" in text
        assert [file.evidence for file in made.filing.files] == ["e1"]

    def test_what_the_platform_meant_to_add_is_not_passed_over(self, kit: Any) -> None:
        """A file that the answer names and nobody could fetch is noted in the report and for the reviewer."""
        decision = kit.decision(kit.included())
        files = [AdditionalFile(url=f"https://platform.example/{number}") for number in range(3)]
        enrichment = kit.answered(decision, additional_files=files)
        made = kit.assembled(enrichment=enrichment, attachments=[kit.supplemental()])
        assert "not attached: 2 in all" in made.filing.report.additional_info
        assert kit.rules(made) == {"answer.additionalFiles": "absent-files"}
        whole = kit.assembled(enrichment=enrichment, attachments=[kit.supplemental()] * 3)
        assert whole.filing.report.additional_info is None
        assert whole.findings == ()

    def test_what_xml_cannot_hold_is_refused(self, kit: Any) -> None:
        """Text that cannot be written is shown to the reviewer, and not mended behind their back."""
        decision = kit.decision(kit.included(), additional_info="a\x00b")
        assert kit.refused(None, decision) == {"report.additional_info": "xml-character"}


class TestBatched:
    """One report for many users who shared one viral file: their identifiers, the file, and nothing else."""

    def batch(self, kit: Any, **said: Any) -> Any:
        """Return the decision."""
        given = {"batched": BATCHED, "batched_users": (kit.OTHER, kit.CHILD)} | said
        return kit.decision(kit.included(annotations=VIRAL), **given)

    def test_it_is_about_many(self, kit: Any) -> None:
        """Each user is named by the identifier alone, the case's own first."""
        report = kit.assembled(None, self.batch(kit)).filing.report
        assert report.batched_report.reason is BATCHED
        assert [one.esp_identifier for one in report.persons_or_users_reported] == ["u1", "u2", "u3"]
        assert all(one.esp_service is None for one in report.persons_or_users_reported)
        assert (report.internet_details, report.additional_info) == ((), None)

    def test_what_it_has_no_place_for_is_noticed(self, kit: Any) -> None:
        """What is known of the user and cannot be said is not lost without a word."""
        decision = self.batch(kit)
        enrichment = kit.answered(
            decision,
            kit.user(screen_name="invented"),
            kit.info(ip_capture_events=(kit.event(), kit.event(-1))),
            additional_info="text",
            additional_files=[AdditionalFile(url="https://platform.example/1")],
        )
        made = kit.assembled(kit.case_of(1, missing=[2]), decision, enrichment, prior_reports=[ReportId(7)])
        lost = {"answer.users", "answer.media", "answer.additionalFiles", "answer.additionalInfo"}
        lost |= {"case.missing", "prior_reports"}
        assert {path for path, rule in kit.rules(made).items() if rule == "batched"} == lost

    def test_a_file_that_is_no_meme_is_refused(self, kit: Any) -> None:
        """NCMEC takes a batched report of a file that is viral, a potential meme or both, and nothing else."""
        decision = attrs.evolve(self.batch(kit), media=(kit.included(),))
        assert kit.refused(None, decision) == {"decision.media[0].file_annotations": "batched-annotation"}

    def test_it_has_one_file(self, kit: Any) -> None:
        """A file that the platform adds is one too many, and is refused before NCMEC does."""
        found = kit.refused(None, self.batch(kit), attachments=[kit.supplemental()])
        assert found["files"] == "batched-one-file"

    def test_nobody_is_in_it_twice(self, kit: Any) -> None:
        """The user of the case is in it already."""
        decision = self.batch(kit, batched_users=(kit.OTHER, kit.USER))
        assert kit.refused(None, decision) == {"decision.batched_users[1]": "doubled"}

    def test_what_is_wrong_leads_to_the_user(self, kit: Any) -> None:
        """An identifier that is too long is shown where the reviewer named the user."""
        decision = self.batch(kit, batched_users=(kit.OTHER, UserRef(id="u" * 300, type_id="user")))
        assert kit.refused(None, decision) == {"decision.batched_users[1].esp_identifier": "max-length"}
