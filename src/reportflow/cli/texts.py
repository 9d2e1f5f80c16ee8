"""What the terminal says, in English and Chinese, beside the texts of `messages`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from reportflow.i18n.catalog import CHINESE, ENGLISH, STANDARD

LANGUAGES: Final = (ENGLISH, CHINESE)


def language_of_environment(environment: Mapping[str, str] | None = None) -> str:
    """The language that the environment asks for: Chinese where the locale is, else English."""
    given = os.environ if environment is None else environment
    if given.get("REPORTFLOW_LANGUAGE") in LANGUAGES:
        return given["REPORTFLOW_LANGUAGE"]
    named = (given.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return CHINESE if next(filter(None, named), "").lower().startswith("zh") else ENGLISH


#: code -> (English, Chinese)
TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    # -- help
    "help.reportflow": ("The reports of an office, in a database.", "社情民意信息的全流程管理。"),
    "help.demo": (
        "Play the year 2022 of a city's office. Started again, it goes on where it ended.",
        "演示某市政协 2022 年全年工作；中断后重新运行即可继续。",
    ),
    "help.figures": ("The figures of a year, counted from the histories.", "年度统计，逐条由历史记载计数。"),
    "help.history": ("What happened to one report.", "一条信息的办理过程。"),
    "help.inbox": ("What waits for a role, due first.", "某一角色的待办，先到期者在前。"),
    "help.diagram": ("Draw the report's lifecycle, or one of your own.", "画出信息流程图，或自定义的生命周期。"),
    "help.check": (
        "Try a lifecycle out, the report's or one of your own, and say what is wrong with it.",
        "逐一试行生命周期（信息流程或自定义的），指出其中的问题。",
    ),
    "help.matrix": ("Show who may do what instead, in this form.", "改为以此格式显示谁可以办什么。"),
    "help.with": (
        "A module that says more: other lifecycles for steps, strategies that are registered. As often as needed.",
        "含有其他生命周期或策略的模块，可多次给出。",
    ),
    "help.db": ("The tables of a database, and their version.", "数据库的表及其结构版本。"),
    "help.db.upgrade": (
        "Bring the tables to this version; make them where there are none. Make a backup first.",
        "将表升级到本版；没有表时创建。请先备份。",
    ),
    "help.db.current": ("Say of which version the tables are.", "显示表的结构版本。"),
    "help.db.sql": (
        "Print the SQL of an upgrade, and connect to nothing. Of the URL the engine counts: postgresql:// will do.",
        "输出升级用的 SQL，不连接数据库；地址只看类型。",
    ),
    "help.prefix": ("What the tables' names begin with; reportflow_ unless given.", "表名前缀，默认 reportflow_。"),
    "help.schema": ("The schema that the tables are in.", "表所在的 schema。"),
    "help.since": (
        "The version of the tables that are there; not given, there are none.",
        "现有表的版本；没有表时不填。",
    ),
    "help.conform": ("Hold a store of your own against the whole contract.", "按全部契约检验自定义的存储。"),
    "help.reopen": ("What opens a durable or shared store once more.", "再次打开持久或共享的存储的函数。"),
    "help.profile": (
        "default, brief for a look in between, or thorough for the night.",
        "default；brief 用于随手一试，thorough 留待夜间。",
    ),
    "help.random_seed": ("Makes the random part ask the same again.", "使随机部分重复相同的调用。"),
    "help.help": ("Show this and exit.", "显示本说明。"),
    "help.language": ("The language of what is said.", "显示语言。"),
    "help.database": ("The database; sqlite:///office.db unless given.", "数据库地址，默认 sqlite:///office.db。"),
    "help.seed": ("Another seed, another year with the same figures.", "种子不同，事例不同，统计相同。"),
    "help.year": ("The year.", "年份。"),
    "help.json": ("One JSON object.", "输出一个 JSON 对象。"),
    "help.utc_offset": ("The office's offset from UTC; +08:00 unless given.", "时区，默认 +08:00。"),
    "help.body": ("The office's own body: only its adoptions are issues.", "本级单位名称，仅其采用计入编发。"),
    "help.unit": ("The unit, where the database holds several.", "单位；库中有多个单位时填写。"),
    "help.as": ("The role.", "角色。"),
    "help.id": ("The id of the person; a contributor sees their own only.", "人员编号；信息员只见本人的信息。"),
    "help.limit": ("How many to show.", "显示条数。"),
    "help.format": ("mermaid or dot.", "mermaid 或 dot。"),
    "help.loops": ("Whether to draw what leaves the state as it is.", "是否画出不改变状态的操作。"),
    "help.Usage": ("Usage: ", "用法："),
    "help.Options": ("Options", "选项"),
    "help.Commands": ("Commands", "命令"),
    # -- demo
    "demo.playing": ("The year 2022", "2022 年"),
    "demo.figures": ("The year {year} of {body}", "{body} {year} 年"),
    "demo.next": ("Type next:", "接下来可以输入："),
    "demo.forgotten": (
        "The year was played in memory and is gone now. To keep it, type: {command}",
        "以上只在内存中演示，现已消失。要保存请输入：{command}",
    ),
    "demo.other_seed": (
        "{url} holds the year of another seed; give that seed, or name another --database.",
        "{url} 中已有另一种子的年度；请用原来的种子，或换一个 --database。",
    ),
    "demo.not_empty": (
        "{url} holds {number} record(s) that are not of the demonstration; name another --database.",
        "{url} 中已有 {number} 条非演示记录；请换一个 --database。",
    ),
    "demo.interrupted": (
        "Interrupted. Nothing is lost; type the same again to go on.",
        "已中断，没有丢失；再次输入同一命令即可继续。",
    ),
    # -- figures
    "figures.title": ("The year {year}, unit {unit}", "{unit} {year} 年"),
    "figures.of_all": ("The year {year}", "{year} 年"),
    "figures.figure": ("figure", "指标"),
    "figures.number": ("number", "数量"),
    "figures.share": ("share", "占比"),
    "figures.of": ("of", "分母"),
    "figures.source": ("from: {given}", "来自：{given}"),
    "figures.note": (
        "Reports are counted once in each figure, by when it happened.",
        "各项按条计数，一条只计一次，以发生时间为准。",
    ),
    "figures.empty": (
        "Nothing happened in {year} that {url} knows of; try another --year or --unit.",
        "{url} 中没有 {year} 年的记载；请换 --year 或 --unit。",
    ),
    # -- history
    "history.when": ("when", "时间"),
    "history.act": ("act", "操作"),
    "history.who": ("by", "人员"),
    "history.what": ("what", "内容"),
    "history.state": ("{number} · {state} · version {version} · {id}", "{number} · {state} · 第 {version} 版 · {id}"),
    # -- what entries were told, where the value alone does not say what it is
    "detail.assignee": ("assigned to", "承办人"),
    "detail.category": ("category", "类别"),
    "detail.code": ("code", "代码"),
    "detail.due_at": ("due", "期限"),
    "detail.evidence": ("evidence", "依据"),
    "detail.note": ("note", "附言"),
    "detail.principal": ("principal leader", "主要领导"),
    "detail.secrecy": ("secrecy", "密级"),
    "detail.source": ("from", "来自"),
    "detail.target": ("into", "并入"),
    "detail.topics": ("topics", "议题"),
    "detail.upward": ("upward", "上报"),
    # -- check
    "check.title": ("What was found about: {name}", "检查结果：{name}"),
    "check.level": ("level", "级别"),
    "check.finding": ("finding", "发现"),
    "check.example": ("Example of {number}:", "第 {number} 项示例："),
    "check.sound": ("Nothing is wrong with: {name}.", "{name}：未发现问题。"),
    "check.unsound": ("{number} finding(s) ask for a change.", "有 {number} 项需要修改。"),
    "check.drawn": (
        "Tried by enumeration, with instances that Hypothesis drew.",
        "以枚举方式试行，并使用了 Hypothesis 生成的实例。",
    ),
    "check.enumerated": (
        'Tried by enumeration only; with Hypothesis more is tried: pip install "reportflow[testing]"',
        '仅以枚举方式试行；安装 Hypothesis 可试得更多：pip install "reportflow[testing]"',
    ),
    # -- inbox
    "inbox.title": ("Waiting for: {given}", "{given}的待办"),
    "inbox.due": ("due", "期限"),
    "inbox.since": ("since", "收到"),
    "inbox.state": ("state", "状态"),
    "inbox.report": ("report", "信息"),
    "inbox.empty": ("Nothing waits for {given}.", "{given}没有待办。"),
    "inbox.more": ("There are more; show them with --limit {number}.", "还有更多，可用 --limit {number} 显示。"),
    "inbox.own": (
        "A {given} sees their own reports only: say whose with --id.",
        "{given}只能看到本人的信息：请用 --id 指明是谁。",
    ),
    # -- db
    "db.upgraded": (
        "The tables were of version {before}, and are of version {number} now.",
        "表已由第 {before} 版升级到第 {number} 版。",
    ),
    "db.made": ("The tables are made, of version {number}.", "已创建表，为第 {number} 版。"),
    "db.already": (
        "The tables are of version {number} already: there was nothing to do.",
        "表已是第 {number} 版，无需升级。",
    ),
    "db.current": (
        "The tables are of version {before}; this reportflow reads version {number}.",
        "表为第 {before} 版；本版 reportflow 读取第 {number} 版。",
    ),
    "db.none": (
        "There are no tables of these names; this reportflow makes those of version {number}.",
        "没有这些名称的表；本版 reportflow 创建的是第 {number} 版。",
    ),
    # -- conform
    "conform.running": ("The contract", "契约检验"),
    "conform.call": ("call", "调用"),
    "conform.sentence": ("promise", "承诺"),
    "conform.outcome": ("outcome", "结果"),
    # -- what is wrong
    "wrong.no_office": (
        "There is no office in {url}: check the path, or make one by typing: {command}",
        "{url} 中没有数据：请核对路径，或输入以下命令创建：{command}",
    ),
    "wrong.unit": (
        "The database holds several units; choose one with --unit: {choices}.",
        "库中有多个单位，请用 --unit 选择：{choices}。",
    ),
    "wrong.role": ("There is no role '{given}'; take one of: {choices}.", "没有角色“{given}”；可选：{choices}。"),
    "wrong.utc_offset": (
        "'{given}' is no offset from UTC; write it as +08:00.",
        "“{given}”不是时区偏移；请写成 +08:00。",
    ),
    "wrong.lifecycle": (
        "'{given}' names no lifecycle: {why}. Write package.module:NAME.",
        "“{given}”不是生命周期：{why}。请写成 包.模块:名称。",
    ),
    "wrong.factory": (
        "'{given}' names no function: {why}. Write package.module:function.",
        "“{given}”不是函数：{why}。请写成 包.模块:函数。",
    ),
    "wrong.not_callable": ("it is a {kind}, which cannot be called", "其类型为 {kind}，不能调用"),
    "wrong.module": (
        "'{given}' cannot be imported: {why}. Write the name of a module, package.module.",
        "“{given}”无法导入：{why}。请写模块名，如 包.模块。",
    ),
    "wrong.no_attribute": ("the module has no '{name}'", "模块中没有“{name}”"),
    "wrong.not_a_lifecycle": ("it is a {kind}", "其类型为 {kind}"),
    "wrong.no_colon": ("the colon is missing", "缺少冒号"),
}

#: The library's texts and those of the terminal.
CATALOG: Final = STANDARD.with_texts(
    {f"cli.{code}": {ENGLISH: english, CHINESE: chinese} for code, (english, chinese) in TEXTS.items()}
)
