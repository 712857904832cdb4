# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
# ruff: noqa: E402 - Django is set up first
"""Answers a request with a template and an ORM over SQLite in memory."""

import django
from django.conf import settings
from outcome import told

settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    ROOT_URLCONF=__name__,
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
)
django.setup()

from django.db import connection
from django.http import HttpResponse
from django.template import engines
from django.test import Client
from django.urls import path


def root(request):
    with connection.cursor() as cursor:
        cursor.execute("select 6 * 7")
        text = engines["django"].from_string("{{ number }}").render({"number": cursor.fetchone()[0]})
    return HttpResponse(text)


urlpatterns = [path("", root)]


def use():
    return Client().get("/").content.decode()


handler = told(use)
