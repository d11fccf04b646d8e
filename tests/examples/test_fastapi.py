"""The FastAPI service, end to end: from a user's report to NCMEC's receipt, over HTTP on loopback."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, HTTPException, Request

from cybertip import AsyncCaseDesk, AsyncCourier, ReviewerId, SqlStorage, Viewer
from cybertip.adapters.bridge import lift

REPORT = {
    "id": "r1",
    "at": "2025-06-01T13:05:00Z",
    "basis": "invented",
    "csam": True,
    "user": "u1",
}


async def viewer_of(request: Request) -> Viewer:
    """Know three people by their names, as a platform's own authentication would by something better."""
    name = request.headers.get("x-name")
    if name not in {"ann", "bob", "intern"}:
        raise HTTPException(401)
    return Viewer(reviewer=ReviewerId(name), child_safety=name != "intern")


@contextmanager
def serving(app: FastAPI, until: Callable[..., Any]) -> Iterator[str]:
    """Serve an app on loopback, with its lifespan, and yield its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
    assert not thread.is_alive(), "its workers stop when it does"


@pytest.fixture
def client(platform: Any, example: Callable[[str], Any], until: Callable[..., Any]) -> Iterator[httpx.Client]:
    """The service at work."""
    storage = SqlStorage(platform.database)
    storage.upgrade()
    lifted, evidence = lift(storage), platform.evidence
    courier = AsyncCourier(platform.environment, platform.credentials, storage=lifted, evidence=evidence)
    desk = AsyncCaseDesk("o1", courier=courier, evidence=evidence, profile=platform.profile)
    app = example("fastapi_service").create_app(desk, courier, viewer_of)
    with serving(app, until) as url, httpx.Client(base_url=url, headers={"x-name": "ann"}) as running:
        yield running
    storage.close()


def reported(client: httpx.Client, platform: Any, until: Callable[..., Any]) -> str:
    """Send a user's report with a file, and return the case's address once the file is kept."""
    sent = client.post("/reports", json={**REPORT, "media": {"m1": platform.picture}})
    assert sent.status_code == 202
    address = f"/cases/{sent.json()['case']}"
    until(lambda: client.get(address).json()["media"][0]["kept"])
    return address


def test_a_report_becomes_a_receipt(client: httpx.Client, platform: Any, until: Callable[..., Any]) -> None:
    """A signal comes in, somebody looks and decides, the workers file, and the case has NCMEC's number; the file is called
    viewed because somebody looked at it."""
    address = reported(client, platform, until)
    (waiting,) = client.get("/cases").json()
    assert waiting["case"] in address
    assert client.post(f"{address}/claim").json()["status"] == "claimed"
    assert client.post(f"{address}/views/m1", params={"wholly": True, "exif": False}).json()["media"][0]["views"] == 1
    decision = {
        "incident_type": "Child Pornography (possession, manufacture, and distribution)",
        "incident_at": "2025-06-01T13:00:00Z",
        "media": {"m1": True},
        "additional_info": "synthetic",
    }
    decided = client.post(f"{address}/decision", json=decision)
    assert decided.status_code == 200, decided.text
    report_id = until(lambda: client.get(address).json()["report_id"])
    (report,) = platform.sandbox.reports()
    assert (report["reportId"], report["state"], len(report["files"])) == (report_id, "finished", 1)
    assert client.get("/cases").json() == []


def test_nothing_is_reported_of_what_is_dismissed(
    client: httpx.Client, platform: Any, until: Callable[..., Any]
) -> None:
    """A case that was dismissed is over, and NCMEC hears nothing of it."""
    address = reported(client, platform, until)
    client.post(f"{address}/claim")
    assert client.post(f"{address}/dismissal", json={"reason": "invented"}).json()["status"] == "dismissed"
    assert platform.sandbox.reports() == []


def test_each_error_has_its_answer(client: httpx.Client, platform: Any, until: Callable[..., Any]) -> None:
    """A stranger gets 401, what is not there 404, what somebody else has or what cannot be done now 409, and a decision
    that does not go with the case 422, with each fault by its place; nothing of it changes the case."""
    address = reported(client, platform, until)
    assert client.get(address, headers={"x-name": "stranger"}).status_code == 401
    assert client.post("/reports", json=REPORT, headers={"x-name": "stranger"}).status_code == 401
    assert client.get("/cases/case/0123/000001").status_code == 404
    client.post(f"{address}/claim")
    assert client.post(f"{address}/claim", headers={"x-name": "bob"}).status_code == 409
    assert client.post(f"{address}/approve").status_code == 409
    about_another = {"incident_type": "Online Enticement of Children for Sexual Acts", "media": {"m2": True}}
    refused = client.post(f"{address}/decision", json=about_another)
    assert refused.status_code == 422
    assert [(one["path"], one["rule"]) for one in refused.json()["detail"]] == [
        ("decision.media[0]", "unknown-media"),
        ("decision.media", "partial"),
    ]
    assert client.post("/reports", json={**REPORT, "basis": "another"}).status_code == 409
    assert client.get(address).json()["status"] == "claimed"


def test_a_report_about_nobody_known_is_taken(client: httpx.Client) -> None:
    """A signal whose user is not known is kept, in no case yet."""
    taken = client.post("/reports", json={**REPORT, "user": None})
    assert (taken.status_code, taken.json()) == (202, {"place": "unresolved", "case": None})


def test_it_is_short(is_short: Callable[[str], bool]) -> None:
    """It can be read at a glance."""
    assert is_short("fastapi_service")
