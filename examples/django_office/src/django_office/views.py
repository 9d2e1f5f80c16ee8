"""The pages. What a person may do comes from the flow, and what it refuses is answered by the middleware."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_POST

from django_office.models import Letter
from reportflow import Actor, Option, parse
from reportflow.hosts.django import actor_of, flow
from reportflow.hosts.django.models import RecordRow
from reportflow.hosts.retry import retrying
from reportflow.office import Author, Report

office = flow()


class SubmitForm(forms.Form):
    """What a report is submitted with."""

    title = forms.CharField(max_length=200)
    text = forms.CharField(widget=forms.Textarea)
    letter = forms.CharField(max_length=40, label="Number of the letter")


@login_required
def reports(request: HttpRequest) -> HttpResponse:
    """What the person may see, joined with the office's letters, and what waits for them."""
    actor = actor_of(request.user)
    rows = RecordRow.objects.visible_to(actor).annotate(number=Count("letters")).order_by("-created_at")
    return render(request, "django_office/reports.html", {"rows": rows, "inbox": office.inbox(by=actor)})


@login_required
def submit(request: HttpRequest) -> HttpResponse:
    """Submit a report with its letter."""
    form = SubmitForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        record = create(form.cleaned_data, actor_of(request.user))
        return redirect("report", id=record.id)
    return render(request, "django_office/submit.html", {"form": form})


@retrying
@transaction.atomic
def create(filled_in: dict[str, Any], actor: Actor) -> Report:
    """A report and its letter, both or neither; the editors get their mail when both are committed."""
    author = Author(name=actor.name, id=actor.id)
    draft = Report.draft(title=filled_in["title"], text=filled_in["text"], authors=[author])
    record = office.create(draft, by=actor)
    Letter.objects.create(report_id=record.id, number=filled_in["letter"])
    to = User.objects.filter(groups__name="editor", clerk__unit=actor.unit).values_list("email", flat=True)
    transaction.on_commit(lambda: send_mail("A new report", record.title, None, [*to]))
    return record


@login_required
def report(request: HttpRequest, id: str) -> HttpResponse:
    """One report: its text, what happened to it, and what the person may do."""
    actor = actor_of(request.user)
    record = office.get(id, by=actor, type=Report)
    [lifecycle] = office.lifecycles
    language = "zh" if (get_language() or "").startswith("zh") else "en"
    history = [(entry, lifecycle.describe(entry, language)) for entry in office.history(id, by=actor)]
    shown = {
        "record": record,
        "state": lifecycle.label_of("state", record.state, language),
        "history": history,
        "letters": Letter.objects.filter(report_id=id),
        "options": [offered(option, language) for option in office.options(record, by=actor)],
    }
    return render(request, "django_office/report.html", shown)


def offered(option: Option, language: str) -> dict[str, Any]:
    """An option with the fields of its details that are texts, for a form of its own."""
    described = option.describe(language)
    properties = (described["schema"] or {}).get("properties", {})
    fields = [(name, one.get("title", name)) for name, one in properties.items() if one.get("type") == "string"]
    return {**described, "fields": fields, "required": (described["schema"] or {}).get("required", ())}


@login_required
@require_POST
def act(request: HttpRequest, id: str, trigger: str) -> HttpResponse:
    """Do something to a report, in the version that the person saw."""
    fire(id, trigger, request.POST.dict(), actor_of(request.user))
    return redirect("report", id=id)


@retrying
@transaction.atomic
def fire(id: str, trigger: str, filled_in: dict[str, str], actor: Actor) -> Report:
    """One act, in a transaction that is begun again where it loses a race."""
    option = next((one for one in office.options(id, by=actor) if one.trigger == trigger), None)
    details = None
    if option is not None and option.details is not None:
        own = {name: filled_in[name] for name, _ in offered(option, "en")["fields"] if filled_in.get(name)}
        details = parse(option.details, own)
    reason, version = filled_in.get("reason", ""), filled_in.get("version", "")
    seen = int(version) if version.isdecimal() else None
    return office.fire(id, trigger, details, by=actor, reason=reason, version=seen, type=Report)
