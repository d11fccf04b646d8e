"""The desk in Django views: behind your own login, permissions and middleware, with a worker beside them.

The desk is made once, where your settings are. Put `path("safety/", include(urls(desk, files_of)))` among your URLs, and
call `work` in a management command. People post forms, which Django guards against forgery.
"""

import threading
from collections.abc import Callable
from dataclasses import asdict
from functools import partial, wraps
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, JsonResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

import cybertip as ct

STATUS = {ct.UnknownCase: 404, ct.NotYours: 409, ct.NotNow: 409, ct.Conflict: 409, ct.InvalidReport: 422}
Plain = dict[str, Any]
TYPES: Plain = {"choices": [(one, one) for one in ct.IncidentType], "coerce": ct.IncidentType}
YES_NO: Plain = {"choices": [("yes", "yes"), ("no", "no")], "coerce": "yes".__eq__}
image = partial(ct.ItemRef, type_id="image")


def viewer_of(request: HttpRequest) -> ct.Viewer:
    """Say who asks. Grant the permission to as few as you can: 18 U.S.C. 2258B(c)."""
    return ct.Viewer(reviewer=ct.ReviewerId(str(request.user.pk)), child_safety=request.user.has_perm("safety.review"))


class ViewForm(forms.Form):
    wholly = forms.TypedChoiceField(**YES_NO)
    exif = forms.TypedChoiceField(**YES_NO)


class DecisionForm(forms.Form):
    incident_type = forms.TypedChoiceField(**TYPES)
    incident_at = forms.DateTimeField()
    additional_info = forms.CharField(required=False, empty_value=None)


def cleaned(form: Any) -> Plain:
    if form.is_valid():
        return dict(form.cleaned_data)
    raise ct.InvalidReport(tuple(ct.Violation(path=name, rule="form", message="is no answer") for name in form.errors))


def answering(view: Callable[..., Plain]) -> Callable[..., JsonResponse]:
    """Answer with what a view returns, or with the status of what it raises."""

    @wraps(view)
    def answered(request: HttpRequest, **where: Any) -> JsonResponse:
        try:
            return JsonResponse(view(request, **where))
        except (ct.CaseError, ct.Conflict, ct.InvalidReport) as error:
            faults = [asdict(one) for one in getattr(error, "violations", ())]
            return JsonResponse({"detail": faults or str(error)}, status=STATUS[type(error)])

    return answered


def shown(case: ct.Case) -> Plain:
    signals = [{"kind": type(one).__name__, "at": one.at, "basis": one.basis} for one in case.signals.values()]
    media = [{"id": one.id, "kept": one in case.kept, "views": len(case.views_of(one))} for one in case.media]
    state = {"status": case.status, "report_id": case.report_id, "delay": case.delay, "reasons": case.reasons}
    return {"case": case.key, "user": case.user.id, "signals": signals, "media": media, **state}


def urls(desk: ct.CaseDesk, files_of: Callable[[str], tuple[ct.Media, ...]]) -> list[URLPattern]:
    def report(request: HttpRequest, item: str) -> Plain:
        # Any user may. `files_of` says which files belong to an item, and the desk's `resolve` whose it is.
        form, who = request.POST, ct.UserRef(id=str(request.user.pk), type_id="user")
        said: Plain = {"basis": form.get("reason", ""), "csam": form.get("csam") == "yes", "reporter": who}
        what: Plain = {"item": image(id=item), "media": files_of(item)}
        desk.signal(ct.UserReported(id=ct.SignalId(uuid4().hex), source="form", at=timezone.now(), **said, **what))
        return {"taken": True}

    def pending(request: HttpRequest) -> Plain:
        return {"cases": [{"case": one.case, "status": one.status} for one in desk.pending(viewer=viewer_of(request))]}

    def show(request: HttpRequest, key: str) -> Plain:
        return shown(desk.case(key, viewer=viewer_of(request)))

    def claim(request: HttpRequest, key: str) -> Plain:
        return shown(desk.claim(key, viewer=viewer_of(request)))

    def view(request: HttpRequest, key: str, media: str) -> Plain:
        return shown(desk.view(key, image(id=media), viewer=viewer_of(request), **cleaned(ViewForm(request.POST))))

    def decide(request: HttpRequest, key: str) -> Plain:
        case, chosen = desk.case(key, viewer=viewer_of(request)), request.POST.getlist("include")
        # What is claimed as viewed was recorded when somebody looked, and nothing else is.
        media = [ct.MediaDecision(media=one, include=one.id in chosen, views=case.views_of(one)) for one in case.media]
        decision = ct.Decision(media=media, **cleaned(DecisionForm(request.POST)))
        return shown(desk.decide(key, decision, viewer=viewer_of(request)))

    def dismiss(request: HttpRequest, key: str) -> Plain:
        return shown(desk.decide(key, ct.Dismissed(reason=request.POST.get("reason", "")), viewer=viewer_of(request)))

    posted: Plain = {"claim": claim, "views/<media>": view, "decision": decide, "dismissal": dismiss}
    may = permission_required("safety.review")
    return [
        path("items/<item>/report", require_POST(login_required(answering(report)))),
        path("cases", require_GET(may(answering(pending)))),
        *(path(f"cases/<path:key>/{name}", require_POST(may(answering(view)))) for name, view in posted.items()),
        path("cases/<path:key>", require_GET(may(answering(show)))),
    ]


def work(desk: ct.CaseDesk, courier: ct.Courier, stop: threading.Event) -> None:
    """Work until `stop` is set, as a handler of SIGTERM does. Any number of processes may do so at once."""
    delivering = threading.Thread(target=courier.run_until_stopped, args=(stop,))
    delivering.start()
    desk.run_until_stopped(stop)
    delivering.join()
