"""The records in Django's admin: a list and pages to look at, no more than the person may see.

Who holds Django's permission "can view record" gets the list, and in it what the actor of their account may see. What
happened to a record stands behind its button "History", as `ReportFlow.history` gives it. Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.text import capfirst

from reportflow.hosts.django.models import RecordRow
from reportflow.hosts.django.opening import flow
from reportflow.hosts.django.texts import language, lazy_text, text
from reportflow.hosts.django.users import actor_of
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.entry import Entry
from reportflow.model.record import Record
from reportflow.model.values import field_names

if TYPE_CHECKING:  # the stubs are generic, the class is not
    _ModelAdmin = admin.ModelAdmin[RecordRow]
else:
    _ModelAdmin = admin.ModelAdmin


_HISTORY: Final = "admin/reportflow/recordrow/object_history.html"


class RecordRowAdmin(_ModelAdmin):
    """The records that the person who looks may see."""

    list_display: Any = ("title", "shown_kind", "shown_state", "unit", "due_at", "created_at")
    list_filter: ClassVar[Any] = ("kind", "state", "due_at", "created_at")
    search_fields: ClassVar[Any] = ("title", "id")
    search_help_text: ClassVar[Any] = lazy_text("title")
    ordering: ClassVar[Any] = ("-created_at", "id")
    show_full_result_count: ClassVar[Any] = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: a record is created by a flow."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: a record is moved by a flow."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def get_queryset(self, request: HttpRequest) -> Any:
        """What the person may see."""
        found: Any = super().get_queryset(request)
        return found.visible_to(actor_of(request.user))

    @admin.display(description=lazy_text("kind"), ordering="kind")
    def shown_kind(self, record: RecordRow) -> str:
        """What people call its kind."""
        return _label(_lifecycle_of(record), "lifecycle", record.kind)

    @admin.display(description=lazy_text("state"), ordering="state")
    def shown_state(self, record: RecordRow) -> str:
        """What people call its state."""
        return _label(_lifecycle_of(record), "state", record.state)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Mapping[str, Any] | None = None
    ) -> HttpResponse:
        """What happened to a record, as the person may read it."""
        record: Any = self.get_object(request, unquote(object_id))
        if record is None:
            return self.change_view(request, object_id)  # which says that there is none
        if not self.has_view_or_change_permission(request, record):
            raise PermissionDenied
        history = flow(record._state.db).history(record.pk, by=actor_of(request.user))
        context = {
            **self.admin_site.each_context(request),
            "title": f"{text('history')}: {record}",
            "headings": [text(code) for code in ("when", "act", "who", "state", "what", "reason")],
            "rows": [_row(_lifecycle_of(entry), entry) for entry in history],
            "module_name": str(capfirst(self.opts.verbose_name_plural)),
            "object": record,
            "opts": self.opts,
            **(extra_context or {}),
        }
        return TemplateResponse(request, _HISTORY, context)


admin.site.register(RecordRow, RecordRowAdmin)


def _lifecycle_of(one: RecordRow | Entry) -> Lifecycle | None:
    found = (one.kind, one.lifecycle_version)
    return next((each for each in flow().lifecycles if (each.name, each.version) == found), None)


def _label(lifecycle: Lifecycle | None, room: str, name: str) -> str:
    return name if lifecycle is None else lifecycle.label_of(room, name, language())


def _row(lifecycle: Lifecycle | None, entry: Entry) -> dict[str, Any]:
    """What the page shows of an entry."""
    details = entry.details
    # of a creation they are the draft, whose record the page before shows
    names = () if details is None or isinstance(details, Record) else field_names(type(details))
    facts = ((_label(lifecycle, "field", name), getattr(details, name)) for name in names)
    return {
        "at": entry.at,
        "act": entry.trigger if lifecycle is None else lifecycle.describe(entry, language()),
        "who": entry.actor.name or entry.actor.id,
        "state": _label(lifecycle, "state", entry.dest),
        "facts": [(name, value) for name, value in facts if value not in (None, "", ())],
        "reason": entry.reason,
    }
