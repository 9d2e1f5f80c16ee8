"""What the test kit says to people: each reason in English and in Chinese, with the cause and the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from reportflow.i18n.catalog import CHINESE, ENGLISH, STANDARD

#: Code -> (English, Chinese).
REASONS: Final[Mapping[str, tuple[str, str]]] = {
    # -- what gives the stores
    "factory_raised": (
        "The factory raised {kind}: {given} Give a function without arguments that returns a fresh, empty store.",
        "工厂函数抛出 {kind}：{given} 请给出一个不带参数、返回全新空存储的函数。",
    ),
    "factory_lacks": (
        "The factory gives a {kind}, which lacks calls of the contract: {names}. Give a store with all calls of "
        "reportflow.storage.base.Store.",
        "工厂函数给出 {kind}，缺少契约中的调用：{names}。请给出具备 reportflow.storage.base.Store 全部调用的存储。",
    ),
    "factory_not_empty": (
        "The factory gives a store that is not empty. Give a fresh one each time: a new object on new data.",
        "工厂函数给出的存储不是空的。请每次给出全新的存储：新的对象，新的数据。",
    ),
    "factory_same": (
        "The factory gives the same store twice. Make a new one at each call, inside the function.",
        "工厂函数两次给出同一个存储。请在函数内部每次新建。",
    ),
    "factory_same_data": (
        "The factory gives a new object on the same data: what was committed to one store is in the next. Give each "
        "its own file, folder, schema or prefix.",
        "工厂函数给出的是同一数据上的新对象：提交到一个存储的内容出现在下一个中。请为每个存储使用各自的文件、目录、模式或前缀。",
    ),
    "reopen_missing": (
        "The store declares durable or shared, and there is no function that opens it again. Give reopen: it takes a "
        "store and returns one more on the same data.",
        "存储声明了 durable 或 shared，却没有再次打开它的函数。请给出 reopen：接受一个存储，返回同一数据上的另一个。",
    ),
    "reopen_raised": (
        "reopen raised {kind}: {given} It takes a store, which may be closed, and returns one more on the same data.",
        "reopen 抛出 {kind}：{given} 它接受一个存储（可能已关闭），返回同一数据上的另一个。",
    ),
    "reopen_lacks": (
        "reopen gives a {kind}, which lacks calls of the contract: {names}. Return one more store on the same data.",
        "reopen 给出 {kind}，缺少契约中的调用：{names}。请返回同一数据上的另一个存储。",
    ),
    "reopen_empty": (
        "reopen gives an empty store: what was committed is not in it. Open the same file, folder or database, or do "
        "not declare durable.",
        "reopen 给出的是空存储，其中没有已提交的内容。请打开同一文件、目录或数据库，否则不要声明 durable。",
    ),
    # -- why a test of the suite failed
    "reason.failed": ("This does not hold: {line}\n{given}", "以下不成立：{line}\n{given}"),
    "due": ("{kind} was due, not {given}.", "应为 {kind}，实为 {given}。"),
    "reason.due": ("{kind} was due, not {given}. In: {line}", "应为 {kind}，实为 {given}。位于：{line}"),
    "reason.not_due": (
        "{kind} was raised where it is not due: {given} In: {line}",
        "不该抛出时抛出了 {kind}：{given} 位于：{line}",
    ),
    "reason.foreign": (
        "{kind}: {given}\nA store raises errors of reportflow.errors only; translate this one where it enters the "
        "store, or remove its cause. In: {line}",
        "{kind}：{given}\n存储只抛出 reportflow.errors 中的错误；请在其进入存储之处转换，或消除其原因。位于：{line}",
    ),
    "reason.misshapen": (
        "{kind}: {given}\nThe result of the store cannot be used as the contract says. In: {line}",
        "{kind}：{given}\n存储的结果无法按契约使用。位于：{line}",
    ),
    "reason.flaky": (
        "The same calls end in different ways: {given}\nA store may depend on its calls only: not on chance, the clock "
        "or the calls of another store.",
        "相同的调用结果不同：{given}\n存储只应取决于对它的调用：不取决于偶然、时钟或对其他存储的调用。",
    ),
    "reason.died": (
        "The process of the tests ended with exit code {code} in this test. The last it wrote: {given}",
        "测试进程在此项测试中以退出码 {code} 结束。其最后的输出：{given}",
    ),
    "pages": (
        "The pages have no end: after 100 of them there was still a cursor. Give a cursor only where more follows.",
        "翻页没有尽头：100 页之后仍有游标。只有后面还有内容时才给出游标。",
    ),
    "hung": (
        "{number} call(s) did not come back in {seconds} s: the store waits for itself. Release every lock in a "
        "finally, and take several in one order.",
        "{number} 个调用在 {seconds} 秒内没有返回：存储在等待自身。请在 finally 中释放每个锁，多个锁按同一顺序获取。",
    ),
    # -- why a test of the suite was skipped
    "skip.capability": (
        "The store does not declare the capability {capability}.",
        "存储没有声明 {capability} 能力。",
    ),
    "skip.rolled_back": (
        "The store declares host_transaction, and there is no function that begins one. Give rolled_back: it takes a "
        "store and returns a context manager that rolls back at its end.",
        "存储声明了 host_transaction，却没有开始宿主事务的函数。请给出 rolled_back："
        "接受一个存储，返回一个结束时回滚的上下文管理器。",
    ),
    "skip.extra": (
        'Hypothesis is not installed: type pip install "{package}", and this is tested too.',
        '未安装 Hypothesis：请输入 pip install "{package}"，即可一并测试。',
    ),
    "skip.factory": (
        "Not run: without a fresh store for each test none of them would prove anything.",
        "未运行：没有每次全新的存储，任何测试都证明不了什么。",
    ),
    "skip.hung": (
        "Not run: {number} tests before it did not come back.",
        "未运行：此前有 {number} 项测试没有返回。",
    ),
    "skip.other": ("{given}", "{given}"),
    "skip.died": (
        "Not run: the process of the tests had ended before.",
        "未运行：测试进程此前已结束。",
    ),
    # -- why the suite cannot be run
    "refused.not_importable": (
        "{name} cannot be imported by the process of the tests. Give a function or class at the top of a module, or "
        "its name as 'package.module:name'.",
        "测试进程无法导入 {name}。请给出模块顶层的函数或类，或形如“包.模块:名称”的名称。",
    ),
    "refused.optimized": (
        "Python runs without assert statements (-O or PYTHONOPTIMIZE), so no test could fail. Run it without.",
        "Python 以 -O 或 PYTHONOPTIMIZE 运行，不执行 assert 语句，任何测试都不会失败。请去掉该选项。",
    ),
    # -- what the report of the suite says
    "kept": (
        "The contract is kept: {passed} passed, {skipped} skipped.",
        "契约得到遵守：通过 {passed} 项，略过 {skipped} 项。",
    ),
    "not_kept": (
        "The contract is not kept: {failed} failed, {passed} passed, {skipped} skipped.",
        "契约未得到遵守：未通过 {failed} 项，通过 {passed} 项，略过 {skipped} 项。",
    ),
    "call.make_store": ("factory", "工厂函数"),
    "call.every call": ("every call", "各个调用"),
    "outcome.passed": ("passed", "通过"),
    "outcome.failed": ("FAILED", "未通过"),
    "outcome.skipped": ("skipped", "略过"),
    # -- what the machine of a lifecycle finds
    "foreign": (
        "The store's `{call}` raised {given}, which is no ReportflowError. Translate it in the store: the errors "
        "that a caller can expect are those of reportflow.errors.",
        "存储的 `{call}` 抛出 {given}，它不是 ReportflowError。请在存储中转换："
        "调用者只应遇到 reportflow.errors 中的错误。",
    ),
    "rule": (
        "{given} A rule must give an answer for every record and command that it may meet.",
        "{given} 规则对任何可能遇到的记录和命令都必须给出答复。",
    ),
    "fickle": (
        "Judged twice on the very same record and command, '{trigger}' resulted in {one} first and in {other} then. "
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
        "The result of a call is not what `decide` says{place}: {other} was due, and it was {one}.",
        "调用的结果与 `decide` 不符{place}：应为 {other}，实为 {one}。",
    ),
    "stored": (
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
        "The entries of a record do not follow one another{place}: {other} was due, and it was {one}.",
        "记录的条目前后不连贯{place}：应为 {other}，实为 {one}。",
    ),
    "leak": (
        "An actor does not see exactly what the definition lets them see{place}: {other} was due, and it was {one}.",
        "某人所见与定义允许其所见不符{place}：应为 {other}，实为 {one}。",
    ),
    "offer": (
        "`options` and `fire` disagree about '{trigger}'{place}: `fire` says {other}, `options` {one}.",
        "对于“{trigger}”，`options` 与 `fire` 不一致{place}：`fire` 为 {other}，`options` 为 {one}。",
    ),
    "as_of": (
        "A past version of a record is not as it was{place}: {other} was due, and it was {one}.",
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
    {f"testing.{code}": {ENGLISH: english, CHINESE: chinese} for code, (english, chinese) in REASONS.items()}
)


def text(code: str, language: str = ENGLISH, /, **facts: object) -> str:
    """The text of a code in a language, with its facts."""
    return _CATALOG.text(f"testing.{code}", language, facts)


def label(room: str, name: str, language: str) -> str:
    """The word for a name in a language; the name itself where there is none."""
    return _CATALOG.label(f"testing.{room}", name, language)
