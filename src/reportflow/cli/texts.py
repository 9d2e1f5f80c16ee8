"""The texts of the terminal, in English and Chinese, beside those of the library."""

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
# fmt: off
TEXTS: Final[Mapping[str, tuple[str, str]]] = {  # a text stands on one line, as it is read
    # -- help
    "help.reportflow": ("The reports of an office, in a database.", "社情民意信息的收集、编辑、审核、编发报送和统计。"),
    "help.demo": ("Play the year 2022 of a city's office. Started again, it continues where it ended.", "演示某市政协2022年全年工作；中断后重新运行即可继续。"),
    "help.figures": ("The figures of a year, counted from the histories.", "年度统计，按办理过程逐条计数。"),
    "help.history": ("What happened to one report, by its number.", "按来稿编号显示一条信息的办理过程。"),
    "help.inbox": ("What waits for a role, due first.", "某一身份的待办，先到期者在前。"),
    "help.diagram": ("Draw the report's lifecycle, or one of your own.", "画出信息流程图，或自定义的生命周期。"),
    "help.check": ("Check a lifecycle, the report's or one of your own, and show what is wrong with it.", "逐一检验生命周期（信息流程或自定义的），指出其中的问题。"),
    "help.matrix": ("Show who may do what instead, in this form.", "改为以此格式显示谁可以办什么。"),
    "help.with": ("A further module, with other lifecycles for steps or registered strategies. As often as needed.", "含有其他生命周期或策略的模块，可多次给出。"),
    "help.db": ("The tables of a database, and their version.", "数据库的表及其结构版本。"),
    "help.db.upgrade": ("Upgrade the tables to this version; create them where there are none. Make a backup first.", "将表升级到本版；没有表时创建。请先备份。"),
    "help.db.current": ("Show the version of the tables.", "显示表的结构版本。"),
    "help.db.sql": ("Print the SQL of an upgrade, without a connection. Only the engine of the URL counts: postgresql:// is enough.", "输出升级用的 SQL，不连接数据库；地址只看类型。"),
    "help.prefix": ("What the tables' names begin with; reportflow_ unless given.", "表名前缀，默认 reportflow_。"),
    "help.schema": ("The schema that the tables are in.", "表所在的 schema。"),
    "help.since": ("The version of the existing tables; leave it out where there are none.", "现有表的版本；没有表时不填。"),
    "help.conform": ("Hold a store of your own against the whole contract.", "按全部契约检验自定义的存储。"),
    "help.reopen": ("The function that opens a durable or shared store once more.", "再次打开持久或共享的存储的函数。"),
    "help.profile": ("default, brief for a quick look, or thorough, which takes long.", "default；brief 用于快速检验，thorough 更全面，耗时较长。"),
    "help.random_seed": ("Makes the random part repeat the same calls.", "使随机部分重复相同的调用。"),
    "help.help": ("Show this and exit.", "显示本说明。"),
    "help.language": ("The language of the output.", "显示语言。"),
    "help.database": ("The database; sqlite:///office.db unless given.", "数据库地址，默认 sqlite:///office.db。"),
    "help.seed": ("Another seed, another year with the same figures.", "更换随机种子，事例不同，统计相同。"),
    "help.year": ("The year.", "年份。"),
    "help.json": ("One JSON object.", "输出一个 JSON 对象。"),
    "help.utc_offset": ("The office's offset from UTC; +08:00 unless given.", "时区，默认 +08:00。"),
    "help.body": ("The office's own body: only its adoptions are issues.", "本级单位名称，仅其采用计入编发。"),
    "help.unit": ("The unit, where the database holds several.", "单位；库中有多个单位时填写。"),
    "help.as": ("The role whose inbox it is.", "以何种身份查看。"),
    "help.id": ("The id of the person; a contributor sees their own only.", "人员编号；反映人只见本人的信息。"),
    "help.limit": ("How many to show.", "显示条数。"),
    "help.format": ("mermaid or dot.", "mermaid 或 dot。"),
    "help.loops": ("Whether to draw the acts that leave the state as it is.", "是否画出不改变环节的操作。"),
    # -- the words of click, and its usage errors
    "click.Usage: ": ("Usage: ", "用法："),
    "click.Options": ("Options", "选项"),
    "click.Commands": ("Commands", "命令"),
    "click.[OPTIONS]": ("[OPTIONS]", "[选项]"),
    "click.COMMAND [ARGS]...": ("COMMAND [ARGS]...", "命令 [参数]..."),
    "click.NUMBER": ("NUMBER", "来稿编号"),
    "click.:": (":", "："),
    "click.[required]": ("[required]", "[必填]"),
    "click.[default: ": ("[default: ", "[默认："),
    "usage.help": ("Try '{command} --help' for help.", "输入“{command} --help”可查看说明。"),
    "usage.error": ("Error: {given}", "错误：{given}"),
    "usage.no_command": ("No such command '{name}'.", "没有此命令“{name}”。"),
    "usage.no_option": ("No such option '{name}'.", "没有此选项“{name}”。"),
    "usage.missing": ("Missing: {name}.", "缺少 {name}。"),
    "usage.choice": ("'{name}' takes one of: {choices}.", "“{name}”的值有误；可选：{choices}。"),
    "usage.value": ("'{name}' takes a number.", "“{name}”的值有误，应为整数。"),
    "usage.option": ("'{name}' is not used rightly.", "选项“{name}”的写法有误。"),
    "usage.other": ("There are too few or too many arguments.", "参数过多或过少。"),
    # -- demo
    "demo.playing": ("The year 2022", "2022年"),
    "demo.next": ("Type next:", "接下来可以输入："),
    "demo.forgotten": ("The year was played in memory only and is not saved. To save it, type: {command}", "以上仅为内存演示，未保存。如需保存，请输入：{command}"),
    "demo.other_seed": ("{url} holds the year of another seed; give that seed, or name another --database.", "{url} 中已有另一随机种子的演示数据；请用原来的种子，或换一个 --database。"),
    "demo.not_empty": ("{url} holds {number} report(s) that are not of the demonstration; name another --database.", "{url} 中已有{number}条非演示信息；请换一个 --database。"),
    "demo.interrupted": ("Interrupted. What was written is not lost; type the same again to continue.", "已中断，已写入的内容不会丢失；再次输入同一命令即可继续。"),
    # -- figures
    "figures.title": ("The year {year}, {given}", "{given}{year}年度社情民意信息统计"),
    "figures.figure": ("figure", "项目"),
    "figures.number": ("number", "数量"),
    "figures.share": ("share", "占比"),
    "figures.of": ("of {given}", "占{given}数"),
    "figures.process": ("the office's own work", "办理情况（不列入通报）"),
    "figures.sources": ("where they came from", "来源构成"),
    "figures.instructed": ("Instructions: {events} on {number} report(s), {principal} of them by principal leaders.", "领导批示{number}条（{events}件次），其中主要领导{principal}件次。"),
    "figures.note": ("A report counts once in each figure, by the date on which it happened.", "按条计数，一条在各项中只计一次，以办理日期为准；件次另列。"),
    "figures.empty": ("No data for {year}; check the year and the unit.", "{year}年没有数据，请核对年份和单位。"),
    # -- history
    "history.number": ("No. {number}", "来稿{number}"),
    "history.when": ("date", "办理日期"),
    "history.act": ("act", "操作"),
    "history.who": ("by", "办理人"),
    "history.what": ("what", "内容"),
    "history.fact": ("{name}: {given}", "{name}：{given}"),
    # -- one phrase for the details of an act; a part between bars is left out where its fact is blank
    "phrase.adopt": ("{body}| {carrier}| {issue}|, {usage}", "{body}|{carrier}|{issue}|，{usage}"),
    "phrase.adopt.own": ("{carrier} {issue}, {usage}", "{carrier}{issue}，{usage}"),
    "phrase.edit": ("'{title}' |{text}", "《{title}》|{text}"),
    "phrase.revise": ("'{title}' |{text}", "《{title}》|{text}"),
    "phrase.forward": ("{to}|, reply due {due_at}|, {note}", "{to}|，{due_at}前反馈|，{note}"),
    "phrase.instruct": ("{post} |{leader}|: '{text}'", "{post}|{leader}|批示：“{text}”"),
    "phrase.absorb": ("{department}|: {measure}| ({evidence})", "{department}|：{measure}|（{evidence}）"),
    "phrase.comment": ("{text}", "{text}"),
    "phrase.merge": ("into {target}", "{target}"),
    "phrase.credit": ("{source}", "{source}"),
    "phrase.discredit": ("{source}", "{source}"),
    "phrase.reject": ("{code}", "{code}"),
    # -- check
    "check.title": ("What was found about: {name}", "检验结果：{name}"),
    "check.level": ("level", "级别"),
    "check.finding": ("finding", "发现"),
    "check.example": ("Example of {number}:", "第 {number} 项示例："),
    "check.sound": ("Nothing is wrong with: {name}.", "{name}：未发现问题。"),
    "check.unsound": ("{number} finding(s) ask for a change.", "有 {number} 项需要修改。"),
    "check.drawn": ("Checked by enumeration, with instances that Hypothesis drew.", "已用枚举方式检验，并使用了 Hypothesis 生成的实例。"),
    "check.enumerated": ('Checked by enumeration only; with Hypothesis more is checked: pip install "reportflow[testing]"', '仅用枚举方式检验；安装 Hypothesis 可检验得更全面：pip install "reportflow[testing]"'),
    # -- inbox
    "inbox.title": ("Waiting for: {given}", "{given}待办"),
    "inbox.due": ("due date", "办理时限"),
    "inbox.since": ("received", "收稿日期"),
    "inbox.state": ("state", "环节"),
    "inbox.number": ("number", "来稿编号"),
    "inbox.title_of": ("title", "标题"),
    "inbox.empty": ("Nothing waits for {given}.", "{given}没有待办。"),
    "inbox.more": ("There are more; show them with --limit {number}.", "还有更多，可用 --limit {number} 显示。"),
    "inbox.own": ("A {given} sees their own reports only: name the person with --id.", "{given}只能看到本人的信息：请用 --id 指明人员。"),
    # -- db
    "db.upgraded": ("The tables were upgraded from version {before} to version {number}.", "表已由第 {before} 版升级到第 {number} 版。"),
    "db.made": ("The tables were created, in version {number}.", "已创建表，为第 {number} 版。"),
    "db.already": ("The tables are of version {number} already: there was nothing to do.", "表已是第 {number} 版，无需升级。"),
    "db.current": ("The tables are of version {before}; this reportflow reads version {number}.", "表为第 {before} 版；本版 reportflow 读取第 {number} 版。"),
    "db.none": ("There are no tables of these names; this reportflow creates version {number}.", "没有这些名称的表；本版 reportflow 创建的是第 {number} 版。"),
    # -- conform
    "conform.running": ("The contract", "契约检验"),
    "conform.call": ("call", "调用"),
    "conform.sentence": ("promise", "承诺"),
    "conform.outcome": ("outcome", "结果"),
    # -- what is wrong
    "wrong.technical": ("{given} Technical: {why}", "{given}技术信息：{why}"),
    "wrong.no_office": ("There are no reports in {url}: check the path, or create some by typing: {command}", "{url} 中没有数据：请核对路径，或输入以下命令创建：{command}"),
    "wrong.unit": ("The database holds several units; choose one with --unit: {choices}.", "库中有多个单位，请用 --unit 选择：{choices}。"),
    "wrong.role": ("There is no role '{given}'; take one of: {choices}.", "没有“{given}”这一身份；可选：{choices}。"),
    "wrong.choice": ("{name} ({label})", "{name}（{label}）"),
    "wrong.number": ("Several reports have the number {given}; type one of: {choices}.", "来稿编号{given}对应多条信息，请改为输入：{choices}。"),
    "wrong.utc_offset": ("'{given}' is no offset from UTC; write it as +08:00.", "“{given}”不是时区偏移；请写成 +08:00。"),
    "wrong.lifecycle": ("'{given}' names no lifecycle: {why}. Write package.module:NAME.", "“{given}”不是生命周期：{why}。请写成 包.模块:名称。"),
    "wrong.factory": ("'{given}' names no function: {why}. Write package.module:function.", "“{given}”不是函数：{why}。请写成 包.模块:函数。"),
    "wrong.not_callable": ("it is a {kind}, which cannot be called", "其类型为 {kind}，不能调用"),
    "wrong.module": ("'{given}' cannot be imported: {why}. Write the name of a module, package.module.", "“{given}”无法导入：{why}。请写模块名，如 包.模块。"),
    "wrong.no_attribute": ("the module has no '{name}'", "模块中没有“{name}”"),
    "wrong.not_a_lifecycle": ("it is a {kind}", "其类型为 {kind}"),
    "wrong.no_colon": ("the colon is missing", "缺少冒号"),
}
# fmt: on

#: The library's texts and those of the terminal.
CATALOG: Final = STANDARD.with_texts(
    {f"cli.{code}": {ENGLISH: english, CHINESE: chinese} for code, (english, chinese) in TEXTS.items()}
)
