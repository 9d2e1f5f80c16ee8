"""The application: its configuration, its flow, its errors, and its command."""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

import click
from flask import Flask, Response, make_response, render_template, request

from flask_purchases.people import add_first, people
from flask_purchases.portal import add_portal
from flask_purchases.purchase import ABOVE, PURCHASE
from flask_purchases.tables import db, prepare, transaction
from flask_purchases.views import language, office, purchases
from reportflow import Actor, Fire, Interval, Outcome, Query, ReportFlow, ReportflowError, SqlStore, problem
from reportflow.hosts.retry import retrying
from reportflow.model.actor import ActorKind
from reportflow.serialization.problem import PROBLEM_JSON

#: Who passes on what was not decided in time.
CLOCK = Actor(id="clock", name="Clock", roles={"clock"}, kind=ActorKind.SYSTEM)


def create_app(database: str | None = None) -> Flask:
    """The office, on a database URL; that of ``OFFICE_DATABASE`` unless given, or ``purchases.db`` in this folder."""
    app = Flask(__name__)
    here = f"sqlite:///{Path('purchases.db').absolute()}"
    app.config["SQLALCHEMY_DATABASE_URI"] = database or os.environ.get("OFFICE_DATABASE", here)
    app.config["SECRET_KEY"] = os.environ.get("OFFICE_SECRET") or secrets.token_hex()
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"  # no form of another site is sent with it
    db.init_app(app)
    with app.app_context():
        prepare(db.engine)
        flow = ReportFlow(SqlStore(db.engine), PURCHASE)
        app.extensions["purchases"] = flow.bound_to(db.session)
        db.create_all()
        add_first()
    add_portal(app, flow)
    app.register_blueprint(people)
    app.register_blueprint(purchases)
    app.register_error_handler(ReportflowError, explain)
    app.cli.add_command(escalate)
    app.add_template_filter(plain_label, "label")
    return app


def explain(error: ReportflowError) -> Response:
    """Why something was not done: a page for a browser, a problem document for a program."""
    document = problem(error, language())
    if request.accept_mimetypes.best_match([PROBLEM_JSON, "text/html"]) == "text/html":
        return make_response(render_template("problem.html", problem=document), document.status)
    return make_response(document, document.status, document.headers)


def plain_label(name: str, room: str) -> str:
    """What the reader calls a state or an act."""
    return PURCHASE.label_of(room, name, language())


@click.command()
def escalate() -> None:
    """Pass on to the next level what was not decided in time."""
    for outcome in pass_on():
        click.echo(outcome.record.title if outcome.record else outcome.error)


@retrying
def pass_on() -> list[Outcome]:
    """The outcome for each that is late; what cannot be passed on is no reason not to pass on the others."""
    late = Query(state=set(ABOVE), due_at=Interval(end=datetime.now(UTC)), order="due_at", limit=1_000)
    with transaction():
        acts = [Fire(one.id, "escalate", by=CLOCK) for one in office().find(late, by=CLOCK)]
        return list(office().run(acts, on_error="skip"))
