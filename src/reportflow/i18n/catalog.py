"""Every text that a person reads, in each language: one table, code -> language -> template.

A code is ``room.name``: ``state.draft``, ``refusal.role``, ``value.blank``, ``error.stale_record``. A template is
filled by `str.format` with the facts that the refusal or error carries. A host adds a language, or texts for its
own states and triggers, with `add`. Whoever asks for a language that lacks a code gets English, and where English
lacks it too, the bare name: a missing translation must never hide a refusal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

ENGLISH: Final = "en"
CHINESE: Final = "zh"

#: Facts in a message that are themselves names with a label: parameter -> room of the table.
_LABELLED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "state": "state",
        "states": "state",
        "source": "state",
        "dest": "state",
        "trigger": "trigger",
        "triggers": "trigger",
        "role": "role",
        "roles": "role",
        "held": "role",
        "field": "field",
        "expected": "word",
        "given": "word",
        "found": "word",
        "effect": "effect",
        "scope": "scope",
    }
)

_TABLE: dict[str, dict[str, str]] = {}


def add(texts: Mapping[str, Mapping[str, str]]) -> None:
    """Add or replace texts: ``{"state.draft": {"fr": "brouillon"}}``. The other languages of a code stay."""
    for code, by_language in texts.items():
        _TABLE.setdefault(code, {}).update(by_language)


def codes() -> tuple[str, ...]:
    """All codes of the table, sorted."""
    return tuple(sorted(_TABLE))


def languages(code: str) -> frozenset[str]:
    """The languages that a code has."""
    return frozenset(_TABLE.get(code, ()))


def label(room: str, name: object, language: str = ENGLISH, lifecycle: object = None) -> str:
    """What a person calls a name: ``label("state", "draft", "zh")`` is ``草稿``; else the name itself.

    The labels that a lifecycle gives its own states and triggers come first, under ``leave.state.asked``.
    """
    texts = _TABLE.get(f"{lifecycle}.{room}.{name}") or _TABLE.get(f"{room}.{name}", {})
    return texts.get(language) or texts.get(ENGLISH) or str(name)


def text(code: str, language: str = ENGLISH, /, **facts: object) -> str:
    """The text of a code, filled with its facts; the code and the facts themselves where the table lacks it."""
    texts = _TABLE.get(code, {})
    template = texts.get(language) or texts.get(ENGLISH)
    if template is None:
        return f"{code} {facts}" if facts else code
    return fill(template, language, facts)


def fill(template: str, language: str, facts: Mapping[str, object]) -> str:
    """Fill one template, with names of states, triggers and roles said in the language."""
    lifecycle = facts.get("lifecycle")
    said = {name: _said(name, value, language, lifecycle) for name, value in facts.items()}
    try:
        return template.format_map(_Lenient(said))
    except (ValueError, LookupError, AttributeError):
        return template  # a host's text with a stray brace still says what it says


def _said(fact: str, value: object, language: str, lifecycle: object) -> str:
    room = _LABELLED.get(fact)
    joint = "、" if language == CHINESE else ", "
    nothing = "无" if language == CHINESE else "none"
    if isinstance(value, str) or not isinstance(value, Iterable):
        return label(room, value, language, lifecycle) if room else str(value)
    return joint.join(label(room, one, language, lifecycle) if room else str(one) for one in value) or nothing


class _Lenient(dict[str, str]):
    """A fact that is missing shows its name, so that a wrong template still tells the rest."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def _rows(room: str, rows: Mapping[str, tuple[str, str]]) -> None:
    add({f"{room}.{name}": {ENGLISH: english, CHINESE: chinese} for name, (english, chinese) in rows.items()})


_rows(
    "refusal",
    {
        "state": (
            "'{trigger}' cannot be done in state '{state}'; it can in: {states}.",
            "“{state}”状态下不能“{trigger}”；可以的状态：{states}。",
        ),
        "role": (
            "'{trigger}' takes one of these roles here: {roles}; {actor} holds: {held}.",
            "“{trigger}”需要以下角色之一：{roles}；{actor} 在此拥有：{held}。",
        ),
        "details": (
            "'{trigger}' must be told {expected}; it was told {given}.",
            "“{trigger}”的详情应为：{expected}；实际为：{given}。",
        ),
        "step": (
            "'{trigger}' also acts on record {ids}, which is not there or not for you to see; ask somebody who may.",
            "“{trigger}”还涉及记录 {ids}，该记录不存在或您无权查看；请由可查看者办理。",
        ),
        "reason": ("'{trigger}' needs a reason: pass reason=.", "“{trigger}”必须说明理由：请填写 reason=。"),
        "same_person": (
            "{actor} is already this record's {field}; ask somebody else to do '{trigger}'.",
            "{actor} 已是本记录的{field}，请由他人“{trigger}”。",
        ),
        "not_assignee": (
            "The record is assigned to {assignee}; {actor} cannot do '{trigger}'.",
            "本记录已分派给 {assignee}，{actor} 不能“{trigger}”。",
        ),
        "missing": ("Fill in '{field}' before '{trigger}'.", "“{trigger}”之前请先填写 {field}。"),
        "itself": (
            "A record cannot be its own target; name another one.",
            "记录不能以自身为目标，请另选一个。",
        ),
    },
)

_rows(
    "value",
    {
        "type": ("must be {expected}, not {given}", "应为 {expected}，不能是 {given}"),
        "blank": ("must not be blank; write something", "不能为空，请填写"),
        "refused": ("refuses what this would make of it: {given}", "不接受由此得到的内容：{given}"),
        "empty": ("needs at least one; add one", "至少需要一个，请添加"),
        "nul": (
            "contains the character NUL, which databases cannot keep; take it out",
            "含有 NUL 字符，数据库无法保存，请删除",
        ),
        "surrogate": (
            "contains a lone surrogate at {index}, which is not text; decode the input as UTF-8",
            "第 {index} 位是孤立的代理字符，不是文字，请按 UTF-8 解码输入",
        ),
        "too_long": (
            "is {bytes} bytes of UTF-8; at most {limit} are kept: shorten it or attach it as a file",
            "为 {bytes} 字节（UTF-8），上限 {limit}；请缩短或改作附件",
        ),
        "too_many": (
            "has {characters} characters; this database keeps at most {limit} there: shorten it",
            "有 {characters} 个字符，此数据库的该字段上限为 {limit} 个，请缩短",
        ),
        "naive": (
            "{given} has no time zone; give an aware datetime, such as datetime.now(UTC)",
            "{given} 没有时区；请给出带时区的时间，例如 datetime.now(UTC)",
        ),
        "time_range": (
            "{given} lies outside what UTC can say; give a time within years 1 to 9999",
            "{given} 超出 UTC 可表示的范围，请给出公元 1 至 9999 年内的时间",
        ),
        "choice": ("{given} is not known; take one of: {choices}", "{given} 不在可选范围；可选：{choices}"),
        "not_finite": ("{given} is not a finite number; give a finite one", "{given} 不是有限数，请给出有限数"),
        "before_creation": (
            "{given} lies before the record's creation at {created}; give a later time",
            "{given} 早于记录的创建时间 {created}，请给出更晚的时间",
        ),
        "in_future": (
            "{given} lies in the future (now is {now}); give the time at which it happened",
            "{given} 在未来（现在是 {now}），请给出实际发生的时间",
        ),
        "set_by_flow": (
            "is set by the flow itself; leave it out of the draft",
            "由流程自行设置，请勿写入草稿",
        ),
        "unknown_field": ("is no field of {owner}; it has: {choices}", "不是 {owner} 的字段；可用字段：{choices}"),
        "missing_field": ("is missing; {owner} needs it", "缺失；{owner} 必须填写"),
        "not_a_draft": (
            "is a record of version {version}; pass a draft, made by {owner}.draft(…)",
            "是第 {version} 版的记录；请传入由 {owner}.draft(…) 生成的草稿",
        ),
        "not_stored": (
            "is a draft that was never created; call create first",
            "是尚未创建的草稿；请先调用 create",
        ),
        "other_version": (
            "is {given}, but the record in hand is version {version}; pass one or the other",
            "为 {given}，而手中的记录是第 {version} 版；请只传其一",
        ),
        "ambiguous": (
            "is the record of several lifecycles ({choices}); give the draft its kind=",
            "对应多个生命周期（{choices}）；请为草稿指定 kind=",
        ),
        "cursor": (
            "is not a cursor of this query; pass Page.next of the same query, or none",
            "不是本查询的游标；请传入同一查询的 Page.next，或不传",
        ),
        "range": (
            "{given} lies outside {least} to {most}; give one within",
            "{given} 不在 {least} 至 {most} 之间，请给出此范围内的值",
        ),
        "negative": ("{given} is negative; give 0 or more", "{given} 为负数；请给出 0 或更大的数"),
        "digest": (
            "{given} is no SHA-256 digest; give its 64 hexadecimal digits, in lower case",
            "{given} 不是 SHA-256 摘要；请给出 64 位小写十六进制数字",
        ),
        "interval": (
            "ends ({end}) before it starts ({start}); swap them",
            "结束时间（{end}）早于开始时间（{start}），请对调",
        ),
        "plain": (
            "is not plain data of {expected}: {given}; give what was written for such a value",
            "不是 {expected} 的普通数据：{given}；请给出由此类值写成的数据",
        ),
        "change": (
            "does not fit: version {version}, expected {expected}, {entries} entries; build it by decide()",
            "不相符：第 {version} 版，期望 {expected}，{entries} 条记载；请由 decide() 生成",
        ),
        "twice": ("names {given} twice; name it once", "{given} 出现两次，请只写一次"),
        "history": (
            "is not the whole of one record's: {given}; give all its entries, from its creation on",
            "不是一条记录的完整历史：{given}；请给出自创建起的全部记载",
        ),
        "no_such_time": (
            "{given}: the record did not exist then; ask for a time from {created} on",
            "{given}：当时记录尚不存在；请给出 {created} 之后的时间",
        ),
        "version_or_time": (
            "needs version= or time=, one of the two",
            "需要 version= 与 time= 其中之一",
        ),
    },
)

_rows(
    "fault",
    {
        "duplicate_state": ("state '{name}' is written twice", "状态“{name}”重复"),
        "unknown_state": ("'{trigger}' names the unknown state '{name}'", "“{trigger}”引用了未知状态“{name}”"),
        "unknown_role": ("'{trigger}' names the unknown role '{name}'", "“{trigger}”引用了未知角色“{name}”"),
        "unknown_awaited_role": (
            "state '{state}' awaits the unknown role '{name}'",
            "状态“{state}”等待未知角色“{name}”",
        ),
        "reserved_role": (
            "the role name '{name}' is reserved; take another",
            "角色名“{name}”已被保留，请另取",
        ),
        "reserved_state": (
            "the state name '{name}' is reserved; take another",
            "状态名“{name}”已被保留，请另取",
        ),
        "reserved_trigger": (
            "the trigger name '{name}' is reserved; take another",
            "触发名“{name}”已被保留，请另取",
        ),
        "nobody_and": (
            "'{trigger}' takes NOBODY and {roles}; NOBODY stands alone",
            "“{trigger}”同时写了 NOBODY 与 {roles}；NOBODY 只能单独出现",
        ),
        "no_creation": (
            "no row creates a record; add one with source=None",
            "没有创建记录的行；请添加 source=None 的行",
        ),
        "no_source": (
            "'{trigger}' starts from no state; name one, or None for a creation",
            "“{trigger}”没有起始状态；请写明，创建则写 None",
        ),
        "creation_told": (
            "'{trigger}' creates a record, which is told by its draft; take away details and reason_required",
            "“{trigger}”用于创建，内容由草稿给出；请去掉 details 与 reason_required",
        ),
        "creation_same": (
            "'{trigger}' creates a record and must name its state, not SAME",
            "“{trigger}”用于创建，必须写明状态，不能用 SAME",
        ),
        "unreachable": (
            "state '{name}' cannot be reached from a creation",
            "状态“{name}”从创建出发不可到达",
        ),
        "no_way_out": ("no final state can be reached from '{name}'", "从“{name}”出发无法到达终态"),
        "two_rows": (
            "two rows for '{trigger}' in state '{state}'; at most one may apply",
            "状态“{state}”下“{trigger}”有两行；至多一行",
        ),
        "two_details": (
            "'{trigger}' is told {choices}; a trigger has one details class",
            "“{trigger}”有多个详情类 {choices}；每个触发只能有一个",
        ),
        "details_class": (
            "'{trigger}' is told {given}, which is no attrs class",
            "“{trigger}”的详情 {given} 不是 attrs 类",
        ),
        "sets_unknown_field": (
            "'{trigger}' sets '{name}', which {owner} does not have",
            "“{trigger}”设置了 {owner} 没有的字段“{name}”",
        ),
        "sets_own_field": (
            "'{trigger}' sets '{name}', which the fold sets itself",
            "“{trigger}”设置了由折叠自行设置的“{name}”",
        ),
        "sets_unknown_detail": (
            "'{trigger}' sets '{field}' from '{name}', which {owner} does not have; for a fixed text write "
            "Constant('{name}')",
            "“{trigger}”用 {owner} 没有的“{name}”设置“{field}”；固定文字请写 Constant('{name}')",
        ),
        "record_class": (
            "{given} is no attrs class derived from Record",
            "{given} 不是由 Record 派生的 attrs 类",
        ),
        "field_type": (
            "{owner}.{name} is annotated {given}, which cannot be kept: {why}",
            "{owner}.{name} 的标注 {given} 无法保存：{why}",
        ),
        "blank_name": ("a {name} has a blank name; give it one", "有一个 {name} 的名字为空，请命名"),
        "registered_twice": (
            "the name '{name}' belongs to {other} already; give {given} another with name=",
            "名字“{name}”已属于 {other}；请用 name= 为 {given} 另取一个",
        ),
        "lifecycle_twice": (
            "lifecycle '{name}' version {version} was given twice; give each version once",
            "生命周期“{name}”第 {version} 版重复；每版只给一次",
        ),
    },
)

_rows(
    "finding",
    {
        "unbuildable": (
            "No instance of {name} could be made ({given}), so that these were not tried: {triggers}. Give some: "
            "check(…, samples={{{name}: […]}}), or reportflow.testing.strategies.register({name}, a strategy).",
            "无法生成 {name} 的实例（{given}），因此未检查：{triggers}。请用 check(…, samples={{{name}: […]}}) "
            "给出实例，或用 reportflow.testing.strategies.register({name}, 策略) 指明。",
        ),
        "step_unknown": (
            "A step of '{trigger}' acts on {name}, whose lifecycle was not given, so that it was not tried: give that "
            "lifecycle too.",
            "“{trigger}”的步骤涉及 {name}，而其生命周期未给出，因此未检查：请一并给出该生命周期。",
        ),
        "rule_raises": (
            "{part} of '{trigger}' fails: {given}. Nobody can do this then; mend the function.",
            "“{trigger}”的 {part} 出错：{given}。此时谁也无法办理；请修正该函数。",
        ),
        "rule_effect": (
            "{part} of '{trigger}' {effect}. A rule is judged again and again, for each offer too: let it only answer "
            "by the values that it is given.",
            "“{trigger}”的 {part} {effect}。规则会反复运行，每次列出可办事项时也会运行：只应由所给的值得出答案。",
        ),
        "rule_differs": (
            "{part} of '{trigger}' answers differently when it is asked the same again. Let it go only by the values "
            "that it is given.",
            "“{trigger}”的 {part} 对同样的问题前后回答不一。只应由所给的值得出答案。",
        ),
        "guard_undeclared": (
            "The guard '{guard}' of '{trigger}' looks at the details and does not say so, so that what is offered is "
            "wrong or fails: write reads_details=True.",
            "“{trigger}”的守卫 '{guard}' 读取详情却未声明，因此所列可办事项不对或出错：请写 reads_details=True。",
        ),
        "state_unreachable": (
            "No record comes to be '{state}': in {number} cases that were tried, {triggers} never led there. Look at "
            "the guards, roles and steps on the way, or take the state out.",
            "没有记录能到达“{state}”：试过 {number} 种情形，{triggers} 从未到达。请检查沿途的守卫、角色与步骤，"
            "或去掉该状态。",
        ),
        "state_trap": (
            "A record that is '{state}' never comes to an end: of {number} cases that were tried, none led on to a "
            "final state. Look at the guards and roles of what leaves it, or make it final.",
            "处于“{state}”的记录没有出路：试过 {number} 种情形，都到不了终态。请检查离开该状态的守卫与角色，"
            "或将其设为终态。",
        ),
        "row_never": (
            "'{trigger}' (in: {states}) was refused in all of {number} cases that were tried, the simplest with: "
            "{codes}. Look at its roles, guards and steps, or take the row out.",
            "“{trigger}”（状态：{states}）试过 {number} 种情形全部被拒绝，最简单的一例原因：{codes}。请检查其角色、"
            "守卫与步骤，或去掉该行。",
        ),
        "row_untried": (
            "'{trigger}' (in: {states}) was not tried, the bound was reached before. Give a few samples= that lead "
            "there.",
            "“{trigger}”（状态：{states}）未试到，已先达到上限。请给出能到达该处的少量 samples=。",
        ),
        "row_shadowed": (
            "'{trigger}' never creates anything: whoever may, for them an earlier row creates. Put it before that row, "
            "or give it roles of its own.",
            "“{trigger}”从不创建记录：凡有权者，都先由更靠前的行创建。请将其移到该行之前，或给它单独的角色。",
        ),
        "row_unasked": (
            "'{trigger}' (in: {states}) takes nobody, and no step that was seen asks for it. Give it roles, let a "
            "`then` ask for it, or give the lifecycle whose steps do.",
            "“{trigger}”（状态：{states}）没有任何人可办，也没有见到要求它的步骤。请给它角色，由 then 要求它，或给出"
            "其步骤会要求它的生命周期。",
        ),
        "guard_never": (
            "The guard '{guard}' of '{trigger}' refused in all of {number} cases that were tried. Look whether it can "
            "ever pass.",
            "“{trigger}”的守卫 '{guard}' 试过 {number} 种情形全部拒绝。请检查它是否有可能通过。",
        ),
        "guard_always": (
            "The guard '{guard}' of '{trigger}' passed in all of {number} cases that were tried. Look whether it "
            "guards against anything, or take it out.",
            "“{trigger}”的守卫 '{guard}' 试过 {number} 种情形全部通过。请检查它是否有所防范，否则请去掉。",
        ),
        "detour_fired": (
            "The guard '{guard}' keeps '{trigger}' from {actor}, but {actor} alone can get past it: after the acts "
            "shown it passes. Guard these too, or by what the history cannot lose.",
            "守卫 '{guard}' 不许 {actor}“{trigger}”，但 {actor} 一人即可绕过：经过所示操作后便能通过。"
            "请对这些操作也加守卫，或改用不会被改掉的依据。",
        ),
        "detour_reached": (
            "The guard '{guard}' keeps '{trigger}' from {actor}, but {actor} alone can bring the record to '{state}' "
            "in another way. Guard that way too.",
            "守卫 '{guard}' 不许 {actor}“{trigger}”，但 {actor} 一人可由别的途径使记录到达“{state}”。"
            "请对该途径也加守卫。",
        ),
        "steps_endless": (
            "The steps of '{trigger}' do not end: {path}. Nobody can do this; mend its `then`.",
            "“{trigger}”的步骤没有尽头：{path}。谁也无法办理；请修正其 then。",
        ),
        "steps_may_circle": (
            "The steps of '{trigger}' may come back to it: {path}. Where they meet the same record again, or go "
            "deeper than eight, nobody can do this: see that they end.",
            "“{trigger}”的步骤可能又回到它自身：{path}。若回到同一记录，或超过八层，便谁也无法办理：请确认其有尽头。",
        ),
        "role_unused": (
            "No transition takes the role '{role}': who has no other may only read (these records: {scope}).",
            "没有操作需要角色“{role}”：仅有此角色者只能查阅（{scope}记录）。",
        ),
        "role_idle": (
            "No transition names the role '{role}': who has no other may read, and do what everybody may (with these "
            "records: {scope}).",
            "没有操作写明角色“{role}”：仅有此角色者可以查阅，并办理人人可办之事（{scope}记录）。",
        ),
        "details_unread": (
            "Nothing goes by these fields of {name}: {fields}. They are kept in the history, and no more.",
            "{name} 的这些字段不起任何作用：{fields}。它们只保存在历史中。",
        ),
        "bounded": (
            "{number} cases were tried, and there are more: what was found is certain, what was not found is not.",
            "共试过 {number} 种情形，此外还有更多：已发现的属实，未发现的不能保证没有。",
        ),
        "fault": ("The table is wrong: {given}.", "表有错误：{given}。"),
    },
)

_rows(
    "effect",
    {
        "writes": ("prints", "有输出"),
        "changes": ("changes what it is given, or what it refers to", "改动了所给的值或它引用的对象"),
        "outside": ("reaches outside of the process: files, network or programs", "触及进程之外：文件、网络或程序"),
        "clock": ("reads the clock, or chance", "读取了时钟或随机数"),
    },
)

_rows(
    "scope",
    {"own": ("their own", "本人的"), "unit": ("of their unit", "本单位的"), "any": ("all", "全部")},
)

_rows(
    "gravity",
    {"error": ("error", "错误"), "warning": ("warning", "警告"), "note": ("note", "提示")},
)

_rows(
    "may",
    {
        "yes": ("yes", "可"),
        "guarded": ("with guards", "有条件"),
        "steps": ("as a step only", "仅作为步骤"),
        "no": ("no", "否"),
        "nothing yet": ("(not there yet)", "（尚未创建）"),
        "state": ("state", "状态"),
        "trigger": ("act", "操作"),
        "title": ("Who may do what: {name}", "谁可以办什么：{name}"),
        "caption": ("In state '{state}'", "状态“{state}”"),
        "legend": (
            "A cell says what follows; guards may still refuse, and are named. Acts that a state does not have are "
            "left out.",
            "单元格写明之后的状态；有守卫的仍可能被拒绝，并列出守卫。该状态没有的操作不列出。",
        ),
    },
)

_rows(
    "error",
    {
        "error": ("Something went wrong.", "发生错误。"),
        "invalid_value": ("{field} {problem}.", "{field}：{problem}。"),
        "invalid_definition": (
            "Lifecycle '{name}' has {number} fault(s): {faults}. Mend its table.",
            "生命周期“{name}”有 {number} 处错误：{faults}。请修正其表。",
        ),
        "unknown_trigger": (
            "Lifecycle '{lifecycle}' has no trigger '{given}'; take one of: {choices}.",
            "生命周期“{lifecycle}”没有“{given}”；可用：{choices}。",
        ),
        "unknown_lifecycle": (
            "This flow has no lifecycle '{name}' ({version}); it has: {choices}. Give it that one, with lifecycles=.",
            "本流程没有生命周期“{name}”（{version}）；已有：{choices}。请以 lifecycles= 加入。",
        ),
        "rule_failed": (
            "{part} of '{trigger}' in lifecycle '{lifecycle}' failed on record {id}: {given}. Mend the definition; "
            "nothing was written.",
            "生命周期“{lifecycle}”中“{trigger}”的 {part} 在记录 {id} 上出错：{given}。请修正定义；未写入任何内容。",
        ),
        "unbuildable": (
            "No instance of {name} could be made from its annotations ({given}). Say how: "
            "reportflow.testing.strategies.register({name}, a Hypothesis strategy of its instances).",
            "无法由类型标注生成 {name} 的实例（{given}）。请用 "
            "reportflow.testing.strategies.register({name}, 生成其实例的 Hypothesis 策略) 指明。",
        ),
        "transition_refused": (
            "'{trigger}' on record {id} (version {version}) is refused: {refusals}",
            "记录 {id}（第 {version} 版）的“{trigger}”被拒绝：{refusals}",
        ),
        "steps_unbounded": (
            "The steps after '{trigger}' on record {id} do not end: {path}. Mend the lifecycle's `then`; nothing was "
            "written.",
            "记录 {id} 的“{trigger}”引发的步骤没有尽头：{path}。请修正生命周期的 then；未写入任何内容。",
        ),
        "stale_record": (
            "Record {id} was seen at version {seen}, and is now at version {stored}; read it again and decide anew.",
            "记录 {id} 读取时为第 {seen} 版，现为第 {stored} 版；请重新读取后再决定。",
        ),
        "storage_error": (
            "The store failed, and nothing was written: {given}. Look at the database, then try again.",
            "存储出错，未写入任何内容：{given}。请检查数据库后重试。",
        ),
        "record_not_found": (
            "No record {ids} that you may see; check the id, or ask with another role.",
            "没有您可见的记录 {ids}；请核对编号，或以其他角色查询。",
        ),
        "already_exists": (
            "Record {ids} exists already; create under another id, or leave the id to the flow.",
            "记录 {ids} 已存在；请换一个编号，或由流程自动编号。",
        ),
        "conflict": (
            "Record {ids} was changed by somebody else meanwhile; nothing was written: try again.",
            "记录 {ids} 同时被他人修改；未写入任何内容，请重试。",
        ),
        "duplicate_key": (
            "The key {keys} was used before, for another command on record {ids}; take a new key for a new command.",
            "键 {keys} 已用于记录 {ids} 的另一命令；新命令请用新键。",
        ),
        "storage_unavailable": (
            "The store {url} cannot be used: {given}. {advice}",
            "存储 {url} 无法使用：{given}。{advice}",
        ),
        "storage_busy": (
            "The store {url} is locked by another writer: {given}. Nothing was written; try again.",
            "存储 {url} 被其他写入者锁定：{given}。未写入任何内容，请重试。",
        ),
        "schema_mismatch": (
            "The tables in {url} are of schema version {found}; this reportflow reads version {expected}. {advice}",
            "{url} 中的表为结构第 {found} 版；本版 reportflow 读取第 {expected} 版。{advice}",
        ),
        "invalid_url": ("The database URL '{url}' will not do: {advice}", "数据库地址“{url}”不可用：{advice}"),
        "broker_unavailable": (
            "The broker {url} cannot be reached: {given}. See that it runs; a relay tries again by itself.",
            "消息服务器 {url} 无法连接：{given}。请确认其正在运行；转发会自动重试。",
        ),
        "missing_extra": ("{name} is not installed; {advice}", "未安装 {name}；{advice}"),
    },
)

_rows(
    "advice",
    {
        "url": (
            "write memory: or sqlite:///office.db (three slashes, then the path).",
            "请写 memory: 或 sqlite:///office.db（三个斜杠，后接路径）。",
        ),
        "driver": (
            "name the driver, for example postgresql+psycopg:// instead of postgresql://.",
            "请写明驱动，例如 postgresql+psycopg://，而不是 postgresql://。",
        ),
        "engine": (
            "reportflow keeps records in memory:, sqlite:///file, postgresql+psycopg:// or mysql+pymysql:// (MariaDB).",
            "reportflow 支持 memory:、sqlite:///文件、postgresql+psycopg:// 与 mysql+pymysql://（MariaDB）。",
        ),
        "awaited": (
            "this driver is awaited: call open_async_flow, or name a driver that blocks, such as mysql+pymysql.",
            "此驱动为异步驱动：请调用 open_async_flow，或改用同步驱动，例如 mysql+pymysql。",
        ),
        "not_awaited": (
            "this driver blocks: call open_flow, or name one that is awaited: sqlite+aiosqlite, postgresql+psycopg, "
            "mysql+asyncmy.",
            "此驱动为同步驱动：请调用 open_flow，或改用异步驱动：sqlite+aiosqlite、postgresql+psycopg、mysql+asyncmy。",
        ),
        "server": (
            "Check that the server runs at this address, has this database and lets this user in; nothing was written.",
            "请确认服务器已在该地址启动、其中有该数据库且允许该用户登录；未写入任何内容。",
        ),
        "unknown": (
            "The connection was lost while it was being kept, so it is not known whether it was: look at the record's "
            "history, or do the same again under the same key.",
            "写入过程中连接中断，是否已写入尚不可知：请查看记录的历史，或以同一个键重复该操作。",
        ),
        "rights": (
            "Check the user, the password and the rights that the server gives them; nothing was written.",
            "请检查用户名、密码及服务器授予的权限；未写入任何内容。",
        ),
        "database": (
            "There is no such database on the server: create it, or name another one.",
            "服务器上没有该数据库：请先创建，或改用其他数据库。",
        ),
        "connections": (
            "All connections are in use: try again, or allow more of them; nothing was written.",
            "连接已用尽：请重试，或增加连接数；未写入任何内容。",
        ),
        "synchronous": (
            "synchronous takes one of: OFF, NORMAL, FULL, EXTRA.",
            "synchronous 可取：OFF、NORMAL、FULL、EXTRA。",
        ),
        "folder": (
            "Check that its folder exists and may be written to, and that it is no folder itself.",
            "请确认其所在文件夹存在且可写，且它本身不是文件夹。",
        ),
        "disk": (
            "Make room on the disk and look that it is sound; nothing was written.",
            "请腾出磁盘空间并检查磁盘；未写入任何内容。",
        ),
        "option": (
            "after the ? it takes synchronous=NORMAL or FULL; for SQLite's own options add uri=true.",
            "问号之后可写 synchronous=NORMAL 或 FULL；如用 SQLite 自身的选项，请加 uri=true。",
        ),
        "not_a_database": (
            "Name another file, or move this one away; nothing was changed.",
            "请换一个文件，或移走此文件；未作任何更改。",
        ),
        "read_only": (
            "Give this user the right to write to the file and its folder; nothing was written.",
            "请授予对该文件及其文件夹的写权限；未写入任何内容。",
        ),
        "create": (
            "There are no tables yet: open it with create=True.",
            "尚无数据表：请以 create=True 打开。",
        ),
        "foreign": (
            "It holds tables of these names that are not reportflow's: take another prefix=.",
            "其中已有同名但不属于 reportflow 的表：请换一个 prefix=。",
        ),
        "incomplete": (
            "Some of its tables are gone: restore them from a backup.",
            "部分数据表缺失：请从备份恢复。",
        ),
        "newer": ("Install a newer reportflow.", "请安装更新版本的 reportflow。"),
        "older": (
            "Stop what writes to it and make a backup, then type: {command}",
            "请先停止写入并备份，然后执行：{command}",
        ),
        "retry": ("Try again; if it stays so, look at the server.", "请重试；若仍如此，请检查服务器。"),
        "install": ("type: pip install {package}", "请执行：pip install {package}"),
    },
)

_rows(
    "state",
    {
        "draft": ("draft", "草稿"),
        "edited": ("edited", "已编辑"),
        "reviewed": ("reviewed", "已审核"),
        "returned": ("returned", "已退回"),
        "adopted": ("adopted", "已采用"),
        "forwarded": ("forwarded", "已转送"),
        "instructed": ("instructed", "已批示"),
        "kept": ("kept on file", "留存"),
        "rejected": ("rejected", "未采用"),
        "withdrawn": ("withdrawn", "已撤回"),
        "merged": ("merged", "已合并"),
    },
)

_rows(
    "trigger",
    {
        "create": ("create", "提交"),
        "revise": ("revise", "修改"),
        "edit": ("edit", "编辑"),
        "classify": ("classify", "归类"),
        "assign": ("assign", "分派"),
        "return": ("return", "退回"),
        "review": ("review", "审核"),
        "adopt": ("adopt", "采用"),
        "forward": ("forward", "转送"),
        "instruct": ("instruct", "批示"),
        "absorb": ("absorb", "吸收采纳"),
        "keep": ("keep on file", "留存"),
        "reject": ("reject", "不予采用"),
        "merge": ("merge", "合并"),
        "unmerge": ("unmerge", "撤销合并"),
        "credit": ("credit", "计入合并来源"),
        "discredit": ("discredit", "取消合并来源"),
        "withdraw": ("withdraw", "撤回"),
        "reopen": ("reopen", "重新受理"),
        "comment": ("comment", "批注"),
    },
)

_rows(
    "role",
    {
        "contributor": ("contributor", "信息员"),
        "editor": ("editor", "编辑"),
        "reviewer": ("reviewer", "审核人"),
        "registrar": ("registrar", "登记人"),
        "auditor": ("auditor", "查阅人"),
        "everybody": ("everybody who may see it", "所有可见者"),
        "nobody": ("nobody (only as a step)", "无（仅作为步骤）"),
    },
)

_rows(
    "field",
    {
        "id": ("id", "编号"),
        "title": ("title", "标题"),
        "text": ("text", "正文"),
        "authors": ("authors", "作者"),
        "topics": ("topics", "议题"),
        "unit": ("unit", "单位"),
        "body": ("body", "采用单位"),
        "level": ("level", "层级"),
        "secrecy": ("secrecy", "密级"),
        "clearance": ("clearance", "涉密权限"),
        "reason": ("reason", "理由"),
        "at": ("at", "发生时间"),
        "due_at": ("due_at", "办理期限"),
        "created_by": ("creator", "创建人"),
        "edited_by": ("last editor", "最后编辑人"),
        "assignee": ("assignee", "承办人"),
        "version": ("version", "版本"),
        "cursor": ("cursor", "游标"),
        "as_of": ("as_of", "回看"),
        "by": ("by", "操作人"),
        "category": ("category", "类别"),
        "draft": ("draft", "草稿"),
        "group": ("group", "分组"),
        "history": ("history", "历史"),
        "interval": ("interval", "时间段"),
        "key": ("key", "幂等键"),
        "kind": ("kind", "种类"),
        "limit": ("limit", "每页条数"),
        "name": ("name", "名称"),
        "number": ("number", "编号"),
        "of": ("of", "计数对象"),
        "order": ("order", "排序"),
        "parent": ("parent", "上级记录"),
        "query": ("query", "查询"),
        "roles": ("roles", "角色"),
        "sha256": ("sha256", "摘要"),
        "size": ("size", "大小"),
        "source": ("source", "来源"),
        "state": ("state", "状态"),
        "target": ("target", "目标记录"),
        "time": ("time", "时间"),
        "trigger": ("trigger", "操作"),
        "url": ("url", "数据库地址"),
        "usage": ("usage", "采用方式"),
        "attachments": ("attachments", "附件"),
    },
)

_rows(
    "word",
    {
        "nothing": ("nothing", "无"),
        "unknown": ("unknown", "未知"),
        "no tables": ("no tables", "没有数据表"),
        "version": ("version {number}", "第 {number} 版"),
        "any_version": ("any version", "任何版本"),
        "no entries": ("no entries", "没有记载"),
        "the first entry creates nothing": ("the first entry creates nothing", "第一条记载不是创建"),
        "entries of several records": ("entries of several records", "含有多条记录的记载"),
    },
)

_rows(
    "level",
    {
        "county": ("county", "县级"),
        "city": ("city", "市级"),
        "province": ("province", "省级"),
        "national": ("national", "国家级"),
        "central": ("central", "中央"),
    },
)
_rows(
    "secrecy",
    {
        "internal": ("internal", "内部"),
        "confidential": ("confidential", "秘密"),
        "secret": ("secret", "机密"),
        "top_secret": ("top secret", "绝密"),
    },
)
_rows(
    "source",
    {
        "member": ("member", "委员"),
        "contact_point": ("contact point", "信息联系点"),
        "direct_report_point": ("direct-report point", "信息直报点"),
        "member_studio": ("member studio", "委员工作室"),
        "special_contributor": ("special contributor", "特邀信息员"),
        "special_committee": ("special committee", "专门委员会"),
        "sector_group": ("sector group", "界别活动组"),
        "party": ("democratic party or federation", "民主党派、工商联"),
        "county_committee": ("county committee", "县市区政协"),
        "public": ("public call", "公开征集"),
        "other": ("other", "其他"),
    },
)
_rows(
    "usage",
    {
        "single": ("single", "单篇采用"),
        "combined": ("combined", "综合采用"),
        "forwarded": ("original forwarded", "原文转送"),
    },
)
_rows(
    "lifecycle",
    {"report": ("report", "社情民意信息")},
)
_rows(
    "figure",
    {
        "collected": ("collected", "收集"),
        "issued": ("issued in the office's own serial", "本级采用编发"),
        "submitted": ("submitted upward", "报送上级"),
        "adopted": ("adopted above", "上级采用"),
        "instructed": ("instructed on by leaders", "领导批示"),
        "livelihood": ("on livelihood topics", "民生类"),
        "edited": ("edited", "编辑"),
        "reviewed": ("reviewed", "审核通过"),
        "returned": ("returned for changes", "退回补充"),
        "revised": ("revised by the contributor", "作者修改"),
        "kept": ("kept on file", "留存"),
        "rejected": ("rejected", "未采用"),
        "merged": ("merged into another", "合并"),
        "withdrawn": ("withdrawn", "撤回"),
        "forwarded": ("forwarded for handling", "转送办理"),
        "absorbed": ("absorbed by a department", "吸收采纳"),
    },
)
_rows(
    "topic",
    {
        "childcare": ("childcare", "托育"),
        "education": ("education", "教育"),
        "elderly_care": ("care of the elderly", "养老"),
        "employment": ("employment", "就业"),
        "food_safety": ("food safety", "食品安全"),
        "healthcare": ("healthcare", "医疗"),
        "housing": ("housing", "住房"),
        "social_security": ("social security", "社会保障"),
        "transport": ("transport", "交通出行"),
    },
)
