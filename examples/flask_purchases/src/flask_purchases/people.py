"""Who asks: an account to an actor, logging in and out, and what a new office begins with."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.wrappers import Response

from flask_purchases.tables import Person, Supplier, db
from reportflow import Actor

V = TypeVar("V", bound=Callable[..., Any])

#: Id, name, unit and roles of those who are there at first; the password of each is the id.
FIRST = (
    ("mei", "Mei", "lab", ["requester"]),
    ("han", "Han", "lab", ["requester", "head"]),
    ("dong", "Dong", "office", ["director"]),
    ("lin", "Lin", "office", ["board"]),
    ("bo", "Bo", "office", ["buyer"]),
    ("wei", "Wei", "library", ["requester", "head"]),
)

people = Blueprint("people", __name__)


def actor() -> Actor:
    """The actor of this request, which was let in."""
    found: Actor = g.actor
    return found


def who_has_logged_in() -> Actor | None:
    """The actor of the session; None where nobody has logged in."""
    person = db.session.get(Person, session.get("person", ""))
    return None if person is None else Actor(id=person.id, name=person.name, unit=person.unit, roles=person.roles)


def login_required(view: V) -> V:
    """A view for those who have logged in; the others come to the form for it."""

    @wraps(view)
    def checked(*arguments: Any, **options: Any) -> Any:
        found = who_has_logged_in()
        if found is None:
            return redirect(url_for("people.login"))
        g.actor = found
        return view(*arguments, **options)

    return cast(V, checked)


@people.route("/login", methods=["GET", "POST"])
def login() -> Response | tuple[str, int] | str:
    """Log in."""
    if request.method == "GET":
        return render_template("login.html")
    person = db.session.get(Person, request.form.get("id", ""))
    if person is None or not check_password_hash(person.password, request.form.get("password", "")):
        flash("There is no such account, or its password is another one.")
        return render_template("login.html"), 403
    session.clear()
    session["person"] = person.id
    following = request.args.get("next", "")
    return redirect(following if following.startswith("/office/") else url_for("purchases.index"))


@people.post("/logout")
def logout() -> Response:
    """Log out."""
    session.clear()
    return redirect(url_for("people.login"))


def add_first() -> None:
    """Let a new office have people and suppliers."""
    if db.session.scalar(db.select(Person.id).limit(1)) is None:
        for id, name, unit, roles in FIRST:
            password = generate_password_hash(id)
            db.session.add(Person(id=id, name=name, unit=unit, roles=roles, password=password))
        db.session.add(Supplier(id="lens", name="Lens & Co"))
        db.session.add(Supplier(id="optik", name="Optik"))
        db.session.add(Supplier(id="grau", name="Grau", blocked=True))
    db.session.commit()
