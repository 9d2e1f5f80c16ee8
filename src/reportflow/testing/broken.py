"""What a lifecycle's machine finds wrong, each as a sentence that says what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from reportflow.errors import ReportflowError, TransitionRefused
from reportflow.i18n.catalog import CHINESE, ENGLISH, STANDARD

_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "factory_raised": (
        "The factory {factory} raised {given}. Give one that takes nothing and makes a fresh, empty store.",
        "工厂 {factory} 抛出 {given}。请给出无参数、每次新建空存储的工厂。",
    ),
    "factory_no_store": (
        "The factory {factory} gave {given}, which is no Store. Give one that takes nothing and makes a fresh, "
        "empty store.",
        "工厂 {factory} 给出的 {given} 不是 Store。请给出无参数、每次新建空存储的工厂。",
    ),
    "factory_same": (
        "The factory {factory} gave the same store twice. Each run needs one of its own: give a function that makes "
        "a fresh, empty store at each call.",
        "工厂 {factory} 两次给出同一个存储。每次运行都需要自己的存储：请给出每次新建空存储的函数。",
    ),
    "factory_same_data": (
        "The stores of the factory {factory} share their data: what one was given, the next one shows. Give a function "
        "that makes a fresh, empty store at each call.",
        "工厂 {factory} 的各个存储共享数据：写入一个，另一个也能看到。请给出每次新建空存储的函数。",
    ),
    "factory_not_empty": (
        "The factory {factory} gave a store that holds records already: what an earlier run wrote, perhaps. Give a "
        "function that makes a fresh, empty store at each call.",
        "工厂 {factory} 给出的存储里已有记录，可能是先前运行写入的。请给出每次新建空存储的函数。",
    ),
    "reopen_raised": (
        "`reopen` came to {given}. It takes the store, which was closed, and opens the same data again.",
        "`reopen` 的结果是 {given}。它接收已关闭的存储，并重新打开同一数据。",
    ),
    "foreign": (
        "The store's `{call}` raised {given}, which is no ReportflowError. Translate it in the store: the errors "
        "that a caller can expect are those of reportflow.errors.",
        "存储的 `{call}` 抛出 {given}，它不是 ReportflowError。请在存储中转换："
        "调用者只应遇到 reportflow.errors 中的错误。",
    ),
    "rule": (
        "{given} A rule must give an answer for every record and command that can come to it.",
        "{given} 规则对任何可能遇到的记录和命令都必须给出答复。",
    ),
    "fickle": (
        "Judged twice on the very same record and command, '{trigger}' came to {one} first and to {other} then. "
        "Make its guards, `sets` and `then` pure: what they answer may depend on their arguments only.",
        "对同一记录和命令判断两次，“{trigger}”先得 {one}，后得 {other}。"
        "请使其守卫、`sets` 和 `then` 成为纯函数：结果只取决于参数。",
    ),
    "side_effect": (
        "Judging '{trigger}' changed {what}: it was {one} and is now {other}. Guards, `sets` and `then` may change "
        "nothing: an offer judges too, and what is refused was judged as well.",
        "判断“{trigger}”时改变了 {what}：原为 {one}，现为 {other}。"
        "守卫、`sets` 和 `then` 不得改变任何东西：列出选项和拒绝时也会判断。",
    ),
    "outcome": (
        "A call came to something else than `decide` says{place}: {other} was due, and it was {one}.",
        "调用的结果与 `decide` 不符{place}：应为 {other}，实为 {one}。",
    ),
    "kept": (
        "The store does not hold what was written, or holds what was refused{place}: {other} was due, and it was "
        "{one}.",
        "存储中的内容与写入的不符，或保留了被拒绝的内容{place}：应为 {other}，实为 {one}。",
    ),
    "replay": (
        "The replay of the history is not the record{place}: the record has {other}, the replay {one}. A `sets` that "
        "is not pure does this, or a store that loses a part of an entry.",
        "历史重演的结果不是该记录{place}：记录为 {other}，重演为 {one}。可能是 `sets` 不纯，或存储丢失了条目的一部分。",
    ),
    "gap": (
        "The entries of a record do not hold together{place}: {other} was due, and it was {one}.",
        "记录的条目前后不连贯{place}：应为 {other}，实为 {one}。",
    ),
    "leak": (
        "What somebody sees is not what the definition lets them see{place}: {other} was due, and it was {one}.",
        "某人所见与定义允许其所见不符{place}：应为 {other}，实为 {one}。",
    ),
    "offer": (
        "`options` and `fire` are not of one mind about '{trigger}'{place}: `fire` says {other}, `options` {one}.",
        "对于“{trigger}”，`options` 与 `fire` 不一致{place}：`fire` 为 {other}，`options` 为 {one}。",
    ),
    "as_of": (
        "A record as it was is not what it was{place}: {other} was due, and it was {one}.",
        "记录的过往版本与当时不符{place}：应为 {other}，实为 {one}。",
    ),
    "never_fired": (
        "In this run these transitions were never fired, so nothing is proven of them: {names}. Give more examples "
        "or steps (settings), or, where no command fits, details that the guards let pass "
        "(reportflow.testing.strategies.register).",
        "本次运行中以下转换从未执行，因此未得到任何验证：{names}。请增加样例数或步数（settings）；若无命令适用，请用 "
        "reportflow.testing.strategies.register 给出守卫能放行的内容。",
    ),
}
_CATALOG: Final = STANDARD.with_texts(
    {f"machine.{code}": {ENGLISH: english, CHINESE: chinese} for code, (english, chinese) in _TEXTS.items()}
)


class BrokenPromise(AssertionError):
    """A promise that was not kept: a stable code, and the facts. `str` is English, ``message("zh")`` is Chinese."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code, facts)
        self.code = code
        self.facts = facts

    def message(self, language: str = ENGLISH) -> str:
        """What is wrong and what to do, in a language."""
        return _CATALOG.text(f"machine.{self.code}", language, self.facts)

    def __str__(self) -> str:
        return self.message()


class NeverFired(UserWarning):
    """Transitions of which a run proved nothing."""


@attrs.frozen(repr=False)
class Raised:
    """What a call came to, where it came to an error: equal to another of the same class with the same facts."""

    kind: type[ReportflowError]
    facts: Mapping[str, Any]
    error: ReportflowError = attrs.field(eq=False)

    @property
    def codes(self) -> list[str] | None:
        """The codes of the refusals, where it is one."""
        if not isinstance(self.error, TransitionRefused):
            return None
        return [getattr(one, "code", "?") for one in self.error.refusals]

    def __repr__(self) -> str:
        return f"{self.kind.__name__}: {self.error}"


def raised(error: ReportflowError) -> Raised:
    """An error as a value."""
    return Raised(type(error), {name: fact for name, fact in vars(error).items() if name[:1] != "_"}, error)


def outcome(call: Callable[[], Any]) -> Any:
    """What a call gives, or `Raised`."""
    try:
        return call()
    except ReportflowError as error:
        return raised(error)
