"""The Django views, end to end: from a user's report to NCMEC's receipt, behind Django's own login and permissions."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

import django
import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from cybertip import CaseDesk, Courier, EvidenceId, ItemRef, Media, SqlStorage, UserRef

settings.configure(
    SECRET_KEY="synthetic",
    USE_TZ=True,
    ALLOWED_HOSTS=["testserver"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
)
django.setup()

DECISION = {
    "incident_type": "Child Pornography (possession, manufacture, and distribution)",
    "incident_at": "2025-06-01T13:00:00Z",
    "additional_info": "synthetic",
}


@pytest.fixture(scope="module")
def people() -> Any:
    """Django's own users: one who reports things, and two of whom one may see what is reported."""
    from django.contrib.auth.models import Permission, User
    from django.contrib.contenttypes.models import ContentType

    call_command("migrate", verbosity=0)
    kind = ContentType.objects.create(app_label="safety", model="case")
    may_see = Permission.objects.create(codename="review", name="Review cases", content_type=kind)
    named = {name: User.objects.create_user(name) for name in ("reader", "ann", "bob")}
    for name in ("ann", "bob"):
        named[name].user_permissions.add(may_see)
    return SimpleNamespace(**named)


class _Urls(ModuleType):
    """What is a module with `urlpatterns` in a platform of more than one test."""

    def __init__(self, urlpatterns: list[Any]) -> None:
        super().__init__("urls")
        self.urlpatterns = urlpatterns


def logged_in(person: Any, **more: Any) -> Client:
    """Return a browser in which somebody has logged in."""
    client = Client(**more)
    client.force_login(person)
    return client


@pytest.fixture
def site(platform: Any, example: Callable[[str], Any], people: Any) -> Iterator[Any]:
    """A platform's site with the desk in it, and what its worker is made of."""
    views = example("django_views")
    storage = SqlStorage(platform.database)
    storage.upgrade()

    def files_of(item: str) -> tuple[Media, ...]:
        return (Media(ref=ItemRef(id=item, type_id="image"), evidence=EvidenceId(platform.picture)),)

    with Courier(platform.environment, platform.credentials, storage=storage, evidence=platform.evidence) as courier:
        desk = CaseDesk(
            "o1",
            courier=courier,
            evidence=platform.evidence,
            profile=platform.profile,
            resolve=lambda signal: UserRef(id="u1", type_id="user"),
        )
        settings.ROOT_URLCONF = _Urls(views.urls(desk, files_of))
        yield SimpleNamespace(working=lambda: working(views.work, desk, courier), desk=desk)
    storage.close()


@contextmanager
def working(work: Callable[..., None], desk: CaseDesk, courier: Courier) -> Iterator[None]:
    """Run the body of the management command meanwhile."""
    stop = threading.Event()
    worker = threading.Thread(target=work, args=(desk, courier, stop))
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join(30)
    assert not worker.is_alive()


def reported(people: Any, until: Callable[..., Any]) -> str:
    """Let a user report an item, and return the case's address once its file is kept."""
    form = {"csam": "yes", "reason": "invented"}
    assert logged_in(people.reader).post("/items/m1/report", form).json() == {"taken": True}
    ann = logged_in(people.ann)
    (waiting,) = ann.get("/cases").json()["cases"]
    until(lambda: ann.get(f"/cases/{waiting['case']}").json()["media"][0]["kept"])
    return f"/cases/{waiting['case']}"


def test_a_report_becomes_a_receipt(site: Any, people: Any, platform: Any, until: Callable[..., Any]) -> None:
    """A user reports an item, somebody else looks and decides, the worker files, and the case has NCMEC's number."""
    ann = logged_in(people.ann)
    with site.working():
        address = reported(people, until)
        assert ann.post(f"{address}/claim").json()["status"] == "claimed"
        assert ann.post(f"{address}/views/m1", {"wholly": "yes", "exif": "no"}).json()["media"][0]["views"] == 1
        decided = ann.post(f"{address}/decision", {**DECISION, "include": ["m1"]})
        assert decided.status_code == 200, decided.content
        report_id = until(lambda: ann.get(address).json()["report_id"])
    (report,) = platform.sandbox.reports()
    assert (report["reportId"], report["state"], len(report["files"])) == (report_id, "finished", 1)


def test_each_error_has_its_answer(site: Any, people: Any, until: Callable[..., Any]) -> None:
    """A stranger, and whoever lacks the permission, is sent to log in, and a form from elsewhere is refused; what is not
    there is 404, what somebody else has or what cannot be done now 409, and what does not go with the case, or was not
    said, 422 with each fault by its place."""
    ann, bob = logged_in(people.ann), logged_in(people.bob)
    with site.working():
        address = reported(people, until)
    for nobody in (Client(), logged_in(people.reader)):
        assert nobody.get(address)["Location"].startswith("/accounts/login/")
        assert nobody.get("/cases")["Location"].startswith("/accounts/login/")
    assert Client().post("/items/m1/report", {"reason": "x"})["Location"].startswith("/accounts/login/")
    assert logged_in(people.ann, enforce_csrf_checks=True).post(f"{address}/claim").status_code == 403
    assert ann.get(f"{address}/claim").status_code == 405
    assert ann.get("/cases/case/0123/000001").status_code == 404
    assert ann.post(f"{address}/decision", DECISION).status_code == 409, "she has not claimed it"
    ann.post(f"{address}/claim")
    assert bob.post(f"{address}/claim").status_code == 409
    assert [one["path"] for one in ann.post(f"{address}/views/m1", {"exif": "no"}).json()["detail"]] == ["wholly"]
    assert ann.post(f"{address}/decision", {}).status_code == 422
    assert ann.post(f"{address}/dismissal", {"reason": " "}).status_code == 422
    assert ann.post(f"{address}/dismissal", {"reason": "invented"}).json()["status"] == "dismissed"
    assert ann.post(f"{address}/claim").status_code == 409


def test_it_is_short(is_short: Callable[[str], bool]) -> None:
    """It can be read at a glance."""
    assert is_short("django_views")
