"""The desk in a FastAPI service: signals come in, people decide, and workers in the lifespan do the rest.

`viewer_of` is your own authentication: a dependency that says who asks, and whether they hold the permission to see what is
reported, and raises `HTTPException(401)` for strangers. Where you have an app already, include `routes` in it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any, Literal

import anyio
from fastapi import APIRouter, Body, Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel

import cybertip as ct

ViewerOf = Callable[[Request], Awaitable[ct.Viewer]]
STATUS = {ct.UnknownCase: 404, ct.NotYours: 409, ct.NotNow: 409, ct.Conflict: 409, ct.InvalidReport: 422}
image = partial(ct.ItemRef, type_id="image")


class Report(BaseModel):
    """A user's report, as the platform's services send it. The files are kept already: `media` says as which evidence."""

    id: str
    at: AwareDatetime
    basis: str
    csam: bool
    user: str | None = None
    media: dict[str, str] = {}


class Decided(BaseModel):
    """What a reviewer's screen sends. `media` says of each file of the case whether it is reported."""

    incident_type: ct.IncidentType
    incident_at: AwareDatetime | None = None
    media: dict[str, bool] = {}
    additional_info: str | None = None


def shown(case: ct.Case) -> dict[str, Any]:
    signals = [{"kind": type(one).__name__, "at": one.at, "basis": one.basis} for one in case.signals.values()]
    media = [{"id": one.id, "kept": one in case.kept, "views": len(case.views_of(one))} for one in case.media]
    state = {"status": case.status, "report_id": case.report_id, "delay": case.delay, "reasons": case.reasons}
    return {"case": case.key, "user": case.user.id, "signals": signals, "media": media, **state}


def routes(desk: ct.AsyncCaseDesk, viewer_of: ViewerOf) -> APIRouter:
    # Nobody gets in whom `viewer_of` does not know, whatever is added later.
    router = APIRouter(dependencies=[Depends(viewer_of)])
    Who = Annotated[ct.Viewer, Depends(viewer_of)]

    @router.post("/reports", status_code=202)
    async def take(one: Report) -> dict[str, str | None]:
        media = [ct.Media(ref=image(id=id), evidence=ct.EvidenceId(kept)) for id, kept in one.media.items()]
        creator = None if one.user is None else ct.UserRef(id=one.user, type_id="user")
        said = one.model_dump(include={"id", "at", "basis", "csam"})
        placed = await desk.signal(ct.UserReported(source="reports", media=tuple(media), creator=creator, **said))
        return {"place": placed.place, "case": placed.case}

    @router.get("/cases")
    async def pending(who: Who, queue: str | None = None) -> list[dict[str, Any]]:
        waiting = await desk.pending(viewer=who, queue=queue)
        return [{"case": one.case, "status": one.status, "priority": one.priority} for one in waiting]

    @router.get("/cases/{key:path}")
    async def show(who: Who, key: str) -> dict[str, Any]:
        return shown(await desk.case(key, viewer=who))

    @router.post("/cases/{key:path}/views/{media}")
    async def view(who: Who, key: str, media: str, wholly: bool, exif: bool) -> dict[str, Any]:
        return shown(await desk.view(key, image(id=media), viewer=who, wholly=wholly, exif=exif))

    @router.post("/cases/{key:path}/decision")
    async def decide(who: Who, key: str, one: Decided) -> dict[str, Any]:
        case = await desk.case(key, viewer=who)
        files = [(image(id=id), include) for id, include in one.media.items()]
        # What is claimed as viewed was recorded when somebody looked, and nothing else is.
        media = [ct.MediaDecision(media=file, include=include, views=case.views_of(file)) for file, include in files]
        said = one.model_dump(include={"incident_type", "incident_at", "additional_info"})
        return shown(await desk.decide(key, ct.Decision(media=media, **said), viewer=who))

    @router.post("/cases/{key:path}/dismissal")
    async def dismiss(who: Who, key: str, reason: Annotated[str, Body(embed=True)]) -> dict[str, Any]:
        return shown(await desk.decide(key, ct.Dismissed(reason=reason), viewer=who))

    @router.post("/cases/{key:path}/{step}")
    async def act(who: Who, key: str, step: Literal["claim", "release", "approve"]) -> dict[str, Any]:
        return shown(await getattr(desk, step)(key, viewer=who))

    return router


async def refused(_: Request, error: Any) -> JSONResponse:
    faults = [asdict(one) for one in getattr(error, "violations", ())]
    return JSONResponse({"detail": faults or str(error)}, STATUS[type(error)])


def create_app(desk: ct.AsyncCaseDesk, courier: ct.AsyncCourier, viewer_of: ViewerOf) -> FastAPI:
    @asynccontextmanager
    async def working(_: FastAPI) -> AsyncIterator[None]:
        stop = anyio.Event()
        async with courier, anyio.create_task_group() as workers:
            workers.start_soon(courier.run_until_stopped, stop)
            workers.start_soon(desk.run_until_stopped, stop)
            yield
            stop.set()

    app = FastAPI(lifespan=working)
    app.include_router(routes(desk, viewer_of))
    for kind in STATUS:
        app.add_exception_handler(kind, refused)
    return app
