"""NCMEC's closed lists of words, each with the name of its simple type in the XSD."""

from typing import ClassVar

from cybertip.model.declaration import Vocabulary

__all__ = [
    "AddressType",
    "AssociatedAccountType",
    "BatchedReportReason",
    "EmailType",
    "FileClassification",
    "FileRelevance",
    "IncidentType",
    "IpCaptureType",
    "MetadataType",
    "PhoneType",
    "State",
]


class IncidentType(Vocabulary):
    """Name the kind of incident that a report is about."""

    __xsd__: ClassVar[str] = "incidentType"

    CHILD_PORNOGRAPHY = "Child Pornography (possession, manufacture, and distribution)"
    CHILD_SEX_TRAFFICKING = "Child Sex Trafficking"
    CHILD_SEX_TOURISM = "Child Sex Tourism"
    CHILD_SEXUAL_MOLESTATION = "Child Sexual Molestation"
    MISLEADING_DOMAIN_NAME = "Misleading Domain Name"
    MISLEADING_WORDS_OR_IMAGES = "Misleading Words or Digital Images on the Internet"
    ONLINE_ENTICEMENT = "Online Enticement of Children for Sexual Acts"
    UNSOLICITED_OBSCENE_MATERIAL = "Unsolicited Obscene Material Sent to a Child"


class BatchedReportReason(Vocabulary):
    """Say why otherwise separate reports are filed as one."""

    __xsd__: ClassVar[str] = "batchedReportReason"

    VIRAL_POTENTIAL_MEME = "VIRAL_POTENTIAL_MEME"


class AddressType(Vocabulary):
    """Say what a postal address is used for."""

    __xsd__: ClassVar[str] = "addressType"

    HOME = "Home"
    BUSINESS = "Business"
    BILLING = "Billing"
    SHIPPING = "Shipping"
    TECHNICAL = "Technical"


class EmailType(Vocabulary):
    """Say what an email address is used for."""

    __xsd__: ClassVar[str] = "emailType"

    HOME = "Home"
    WORK = "Work"
    BUSINESS = "Business"
    RECOVERY = "Recovery"


class PhoneType(Vocabulary):
    """Say what a phone number is used for."""

    __xsd__: ClassVar[str] = "phoneType"

    MOBILE = "Mobile"
    HOME = "Home"
    BUSINESS = "Business"
    WORK = "Work"
    FAX = "Fax"
    INTERNET = "Internet"
    RECOVERY = "Recovery"


class IpCaptureType(Vocabulary):
    """Say what a user was doing when an address or a device was seen."""

    __xsd__: ClassVar[str] = "ipCaptureType"

    LOGIN = "Login"
    REGISTRATION = "Registration"
    PURCHASE = "Purchase"
    UPLOAD = "Upload"
    OTHER = "Other"
    UNKNOWN = "Unknown"


class AssociatedAccountType(Vocabulary):
    """Say how another account belongs to a user."""

    __xsd__: ClassVar[str] = "associatedAccountType"

    BILLING = "Billing"
    LINKED = "Linked"
    BUSINESS = "Business"
    CREATOR = "Creator"
    PARENT_GUARDIAN = "Parent/Guardian"
    OTHER = "Other"


class FileRelevance(Vocabulary):
    """Say whether a file is the reported content or belongs to it."""

    __xsd__: ClassVar[str] = "fileRelevance"

    REPORTED = "Reported"
    SUPPLEMENTAL_REPORTED = "Supplemental Reported"


class FileClassification(Vocabulary):
    """Classify content: A prepubescent, B pubescent; 1 sex act, 2 lascivious exhibition."""

    __xsd__: ClassVar[str] = "fileClassification"

    A1 = "A1"
    A2 = "A2"
    B1 = "B1"
    B2 = "B2"


class MetadataType(Vocabulary):
    """Say what kind of details a list of names and values holds."""

    __xsd__: ClassVar[str] = "metadataTypes"

    EXIF = "EXIF"
    HASH = "HASH"


class State(Vocabulary):
    """Name a state or territory of the United States by its two letters. The XSD allows an empty one."""

    __xsd__: ClassVar[str] = "state"

    UNSTATED = ""
    AK = "AK"
    AL = "AL"
    AR = "AR"
    AZ = "AZ"
    CA = "CA"
    CO = "CO"
    CT = "CT"
    DC = "DC"
    DE = "DE"
    FL = "FL"
    GA = "GA"
    GU = "GU"
    HI = "HI"
    IA = "IA"
    ID = "ID"
    IL = "IL"
    IN = "IN"
    KS = "KS"
    KY = "KY"
    LA = "LA"
    MA = "MA"
    MD = "MD"
    ME = "ME"
    MI = "MI"
    MN = "MN"
    MO = "MO"
    MS = "MS"
    MT = "MT"
    NC = "NC"
    ND = "ND"
    NE = "NE"
    NH = "NH"
    NJ = "NJ"
    NM = "NM"
    NV = "NV"
    NY = "NY"
    OH = "OH"
    OK = "OK"
    OR = "OR"
    PA = "PA"
    PR = "PR"
    RI = "RI"
    SC = "SC"
    SD = "SD"
    TN = "TN"
    TX = "TX"
    UT = "UT"
    VA = "VA"
    VI = "VI"
    VT = "VT"
    WA = "WA"
    WI = "WI"
    WV = "WV"
    WY = "WY"
