"""The reference document: about 314 elements and 10.8 kB of synthetic data, as a model and as a hand-built tree."""

from datetime import UTC, date, datetime, timedelta

from lxml import etree

from cybertip import (
    AccountPlatform,
    Address,
    AssociatedAccount,
    AssociatedAccountType,
    ChatImIncident,
    ContactPerson,
    Country,
    DeviceId,
    Email,
    EmailType,
    EstimatedLocation,
    IncidentSummary,
    IncidentType,
    IpCaptureEvent,
    IpCaptureType,
    Person,
    PersonOrUserReported,
    Phone,
    PhoneType,
    Report,
    ReportAnnotations,
    Reporter,
    State,
    Victim,
    WebPageIncident,
)

START = datetime(2025, 1, 1, tzinfo=UTC)


def _ip(number: int) -> IpCaptureEvent:
    return IpCaptureEvent(
        ip_address=f"192.0.2.{number + 1}",
        event_name=IpCaptureType.LOGIN,
        date_time=START + timedelta(hours=number),
        possible_proxy=False,
        port=40000 + number,
    )


def report() -> Report:
    """Return the reference document as a model."""
    emails = tuple(
        Email(value=f"user{i}@example.com", type=EmailType.HOME, verified=True, verification_date=START)
        for i in range(3)
    )
    phones = tuple(Phone(value=f"555 010{i}", type=PhoneType.MOBILE, country_calling_code="+1") for i in range(2))
    address = Address(
        address="1 Example Street", city="Springfield", zip_code="00000", state=State.IL, country=Country.US
    )
    accounts = tuple(
        AssociatedAccount(
            type=AssociatedAccountType.LINKED,
            platform=AccountPlatform(value="Example Mail"),
            first_name="Alex",
            last_name="Example",
            approximate_age=30,
            emails=emails[:1],
            esp_identifier=f"linked-{i}",
            screen_name=f"linked{i}",
            profile_bio="An invented profile.",
            ip_capture_events=(_ip(i),),
            additional_info="Signed in from the same device.",
        )
        for i in range(2)
    )
    user = PersonOrUserReported(
        person_or_user_reported_person=Person(
            first_name="Sam",
            last_name="Example",
            phones=phones,
            emails=emails,
            addresses=(address,),
            age=40,
            date_of_birth=date(1985, 1, 1),
        ),
        esp_identifier="user-1",
        esp_service="Example Chat",
        screen_name="sam",
        display_names=("Sam",),
        profile_urls=("https://example.com/users/sam",),
        profile_bio="An invented profile.",
        ip_capture_events=tuple(map(_ip, range(20))),
        device_ids=(DeviceId(id_type="IDFV", id_value="0000", event_name=IpCaptureType.LOGIN, date_time=START),),
        estimated_location=EstimatedLocation(city="Springfield", region="IL", country_code=Country.US),
        associated_accounts=accounts,
        additional_info="Invented text. " * 20,
    )
    victims = tuple(
        Victim(
            victim_person=Person(first_name="Kim", last_name="Example", age=15),
            esp_identifier=f"victim-{i}",
            screen_name=f"kim{i}",
            ip_capture_events=tuple(map(_ip, range(5))),
        )
        for i in range(2)
    )
    return Report(
        incident_summary=IncidentSummary(
            incident_type=IncidentType.ONLINE_ENTICEMENT,
            platform="Example Chat",
            escalate_to_high_priority="Invented reason. " * 5,
            report_annotations=ReportAnnotations(sextortion=True, spam=True),
            incident_date_time=START,
            incident_date_time_description="When the newest message was sent.",
        ),
        internet_details=(
            WebPageIncident(urls=("https://example.com/a", "https://example.com/b"), additional_info="Invented."),
            ChatImIncident(chat_client="Example Chat", chat_room_name="lobby", content="Invented text. " * 20),
        ),
        reporter=Reporter(
            reporting_person=Person(
                first_name="Robin",
                last_name="Example",
                emails=(Email(value="safety@example.com", type=EmailType.BUSINESS),),
            ),
            contact_person=ContactPerson(
                first_name="Toni",
                last_name="Example",
                phones=(Phone(value="555 0199"),),
                emails=(Email(value="legal@example.com", type=EmailType.BUSINESS),),
            ),
            company_template="Invented text. " * 20,
            terms_of_service="https://example.com/terms",
            legal_url="https://example.com/legal",
        ),
        persons_or_users_reported=(user,),
        victims=victims,
        additional_info="Invented text. " * 20,
    )


def by_hand(document: Report) -> bytes:
    """Build the same bytes as an integrator does today: element after element with lxml, then `tostring`."""
    sub = etree.SubElement

    def text(parent: etree._Element, name: str, value: object | None) -> None:
        if value is not None:
            if value is True or value is False:
                shown = "true" if value else "false"
            elif isinstance(value, datetime | date):
                shown = value.isoformat()
            else:
                shown = str(value)
            sub(parent, name).text = shown

    def email(parent: etree._Element, one: Email) -> None:
        element = sub(parent, "email")
        if one.type is not None:
            element.set("type", one.type)
        if one.verified is not None:
            element.set("verified", "true" if one.verified else "false")
        if one.verification_date is not None:
            element.set("verificationDate", one.verification_date.isoformat())
        element.text = one.value

    def phone(parent: etree._Element, one: Phone) -> None:
        element = sub(parent, "phone")
        if one.type is not None:
            element.set("type", one.type)
        if one.country_calling_code is not None:
            element.set("countryCallingCode", one.country_calling_code)
        element.text = one.value

    def address(parent: etree._Element, one: Address) -> None:
        element = sub(parent, "address")
        text(element, "address", one.address)
        text(element, "city", one.city)
        text(element, "zipCode", one.zip_code)
        text(element, "state", one.state)
        text(element, "country", one.country)

    def person(parent: etree._Element, name: str, one: Person | ContactPerson) -> None:
        element = sub(parent, name)
        text(element, "firstName", one.first_name)
        text(element, "lastName", one.last_name)
        for number in one.phones:
            phone(element, number)
        for mail in one.emails:
            email(element, mail)
        for place in one.addresses:
            address(element, place)
        if isinstance(one, Person):
            text(element, "age", one.age)
            text(element, "dateOfBirth", one.date_of_birth)

    def ip(parent: etree._Element, one: IpCaptureEvent) -> None:
        element = sub(parent, "ipCaptureEvent")
        text(element, "ipAddress", one.ip_address)
        text(element, "eventName", one.event_name)
        text(element, "dateTime", one.date_time)
        text(element, "possibleProxy", one.possible_proxy)
        text(element, "port", one.port)

    root = etree.Element("report", nsmap={"xsi": "http://www.w3.org/2001/XMLSchema-instance"})
    root.set(
        "{http://www.w3.org/2001/XMLSchema-instance}noNamespaceSchemaLocation", "https://report.cybertip.org/ispws/xsd"
    )
    summary = sub(root, "incidentSummary")
    said = document.incident_summary
    text(summary, "incidentType", said.incident_type)
    text(summary, "platform", said.platform)
    text(summary, "escalateToHighPriority", said.escalate_to_high_priority)
    annotations = sub(summary, "reportAnnotations")
    sub(annotations, "sextortion")
    sub(annotations, "spam")
    text(summary, "incidentDateTime", said.incident_date_time)
    text(summary, "incidentDateTimeDescription", said.incident_date_time_description)
    for incident in document.internet_details:
        wrapper = sub(root, "internetDetails")
        if isinstance(incident, WebPageIncident):
            web = sub(wrapper, "webPageIncident")
            for url in incident.urls:
                text(web, "url", url)
            text(web, "additionalInfo", incident.additional_info)
        elif isinstance(incident, ChatImIncident):
            chat = sub(wrapper, "chatImIncident")
            text(chat, "chatClient", incident.chat_client)
            text(chat, "chatRoomName", incident.chat_room_name)
            text(chat, "content", incident.content)
    reporter = sub(root, "reporter")
    person(reporter, "reportingPerson", document.reporter.reporting_person)
    if document.reporter.contact_person is not None:
        person(reporter, "contactPerson", document.reporter.contact_person)
    text(reporter, "companyTemplate", document.reporter.company_template)
    text(reporter, "termsOfService", document.reporter.terms_of_service)
    text(reporter, "legalURL", document.reporter.legal_url)
    for user in document.persons_or_users_reported:
        element = sub(root, "personOrUserReported")
        if user.person_or_user_reported_person is not None:
            person(element, "personOrUserReportedPerson", user.person_or_user_reported_person)
        text(element, "espIdentifier", user.esp_identifier)
        text(element, "espService", user.esp_service)
        text(element, "screenName", user.screen_name)
        for name in user.display_names:
            text(element, "displayName", name)
        for url in user.profile_urls:
            text(element, "profileUrl", url)
        text(element, "profileBio", user.profile_bio)
        for event in user.ip_capture_events:
            ip(element, event)
        for device in user.device_ids:
            one = sub(element, "deviceId")
            text(one, "idType", device.id_type)
            text(one, "idValue", device.id_value)
            text(one, "eventName", device.event_name)
            text(one, "dateTime", device.date_time)
        if user.estimated_location is not None:
            location = sub(element, "estimatedLocation")
            text(location, "city", user.estimated_location.city)
            text(location, "region", user.estimated_location.region)
            text(location, "countryCode", user.estimated_location.country_code)
        for account in user.associated_accounts:
            other = sub(element, "associatedAccount", type=account.type)
            if account.platform is not None:
                text(other, "platform", account.platform.value)
            text(other, "firstName", account.first_name)
            text(other, "lastName", account.last_name)
            text(other, "approximateAge", account.approximate_age)
            for mail in account.emails:
                email(other, mail)
            text(other, "espIdentifier", account.esp_identifier)
            text(other, "screenName", account.screen_name)
            text(other, "profileBio", account.profile_bio)
            for event in account.ip_capture_events:
                ip(other, event)
            text(other, "additionalInfo", account.additional_info)
        text(element, "additionalInfo", user.additional_info)
    for victim in document.victims:
        element = sub(root, "victim")
        person(element, "victimPerson", victim.victim_person)
        text(element, "espIdentifier", victim.esp_identifier)
        text(element, "screenName", victim.screen_name)
        for event in victim.ip_capture_events:
            ip(element, event)
    text(root, "additionalInfo", document.additional_info)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
