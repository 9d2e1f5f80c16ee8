"""Templates of a host: whatever they call is called as Jinja does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, UndefinedError, pass_context, pass_environment, pass_eval_context
from jinja2.runtime import Context

from reportflow.web.rendering import environment

TEMPLATE = """
{%- macro wrapped(text) %}<b>{{ text }}</b>{{ caller() if caller is defined else "" }}{% endmacro -%}
{% block head %}{{ wrapped(plain("<")) }}{% endblock %}{{ self.head() }}
{% for one in range(2) %}{{ loop.index }}{{ inner(one) }}{{ loop.cycle("a", "b") }}{% endfor %}
{% call wrapped("x") %}{{ plain("&") }}{% endcall %}{{ with_context("name") }}{{ with_environment() }}{{ escapes() }}
{% set found = joiner("; ") %}{{ found() }}{{ found() }}{{ made.method("é", more=2) }}
"""


class Made:
    """An object with a method."""

    def method(self, text: str, *, more: int) -> str:
        return text * more


@pass_context
def with_context(context: Context, name: str) -> str:
    """A function that wants the context."""
    return str(context.resolve(name))


@pass_environment
def with_environment(env: Environment) -> str:
    """A function that wants the templates."""
    return str(env.autoescape)


@pass_eval_context
def escapes(context: Any) -> str:
    """A function that wants to know whether it is to escape."""
    return str(context.autoescape)


def test_calls_give_what_they_do_in_jinja(tmp_path: Path) -> None:
    """Functions, methods, macros, blocks and loops are called with the same result as in an environment of Jinja's."""
    tmp_path.joinpath("own.html").write_text(TEMPLATE)
    given = {
        "plain": lambda text: text * 2,
        "inner": lambda number: number + 10,
        "with_context": with_context,
        "with_environment": with_environment,
        "escapes": escapes,
        "made": Made(),
        "name": "<li>",
    }
    ours, usual = environment([tmp_path]), environment([tmp_path])
    usual.context_class = Context
    text = ours.get_template("own.html").render(given)
    assert text == usual.get_template("own.html").render(given)
    assert "<b>&lt;&lt;</b>" in text
    assert "&lt;li&gt;" in text


def test_what_is_not_there_cannot_be_called(tmp_path: Path) -> None:
    """A name that is not there is an error, called or not."""
    tmp_path.joinpath("own.html").write_text("{{ missing(1) }}")
    with pytest.raises(UndefinedError, match="missing"):
        environment([tmp_path]).get_template("own.html").render()
