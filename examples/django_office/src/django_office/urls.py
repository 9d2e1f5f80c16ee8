"""The pages of the office."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from django_office import views

urlpatterns = [
    path("", views.reports, name="reports"),
    path("reports/new/", views.submit, name="submit"),
    path("reports/<str:id>/", views.report, name="report"),
    path("reports/<str:id>/<str:trigger>/", views.act, name="act"),
    path("accounts/", include("django.contrib.auth.urls")),
    path("admin/", admin.site.urls),
]
