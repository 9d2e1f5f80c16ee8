"""What the suite says: each test's call and its sentence in Chinese, and every reason in English and Chinese.

The sentence in English is the test's docstring.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from reportflow.i18n.catalog import CHINESE, ENGLISH, STANDARD

#: The calls of the contract, and its one attribute.
CALLS: Final = ("capabilities", "commit", "get", "find", "count", "history", "by_key", "feed", "close")

#: Test -> (the call that it is about, its sentence in Chinese).
TESTS: Final[Mapping[str, tuple[str, str]]] = {
    "test_the_factory_gives_fresh_stores": ("make_store", "工厂函数不带参数，每次给出一个全新的空存储。"),
    "test_capabilities_are_declared": ("capabilities", "capabilities 是一个 Capabilities，且始终不变。"),
    # -- commit
    "test_what_was_committed_is_there": ("commit", "一次提交把记录连同其历史条目一并保存。"),
    "test_a_change_replaces_the_record_and_adds_to_its_history": (
        "commit",
        "新记录取代旧记录；历史条目只增不减。",
    ),
    "test_a_change_may_hold_several_entries": ("commit", "一个变更可以让记录前进若干版本，创建时或以后均可。"),
    "test_all_changes_of_a_commit_are_kept": ("commit", "一次提交保存其全部变更：创建与更新，以及不同种类的记录。"),
    "test_many_changes_in_one_commit": ("commit", "一次提交可含上千个变更，读取可带上千个编号。"),
    "test_a_commit_of_nothing": ("commit", "没有变更也是一次提交，什么也不保存。"),
    "test_a_refused_commit_changes_nothing": (
        "commit",
        "全部保存或全不保存：无论哪个变更因何被拒，提交均不留下任何内容。",
    ),
    "test_the_version_is_compared": ("commit", "只有存储中的版本正是预期版本时变更才写入，旧了新了都不行。"),
    "test_the_state_is_compared": ("commit", "只有存储中的状态正是首个条目的起始状态时变更才写入。"),
    "test_what_the_writer_saw_does_not_stand_in_for_what_is_stored": (
        "commit",
        "before 绝不代替与存储内容的比较。",
    ),
    "test_what_the_writer_saw_changes_nothing_in_what_is_kept": (
        "commit",
        "有 before 时，存储可以不动未变的部分；变了的都要保存。",
    ),
    "test_one_record_in_two_changes": ("commit", "同一记录出现在两个变更中即为 InvalidValue，无论另有何错。"),
    "test_missing_records_are_all_named": ("commit", "RecordNotFound 按给出的顺序列出全部不存在的记录，且不列其他。"),
    "test_existing_records_are_all_named": (
        "commit",
        "AlreadyExists 按给出的顺序列出全部已存在的待建记录，且不列其他。",
    ),
    "test_conflicts_are_all_named": ("commit", "Conflict 按给出的顺序列出版本或状态不符的全部记录，且不列其他。"),
    "test_a_key_used_before": ("commit", "DuplicateKey 列出带有其人员已用过的键的全部记录，以及这些键。"),
    "test_a_key_used_twice_in_one_commit": (
        "commit",
        "一个键只用一次：同一提交的两个变更或同一变更的两个条目用了它，即为 DuplicateKey。",
    ),
    "test_keys_are_an_actors_own": ("commit", "两个人员可以使用相同的键。"),
    "test_a_refused_commit_uses_no_key": ("commit", "随被拒提交而来的键仍可使用。"),
    "test_the_order_of_errors": (
        "commit",
        "有多个错误时按此顺序报第一个：RecordNotFound、AlreadyExists、Conflict、DuplicateKey。",
    ),
    # -- get, history, keyed, close
    "test_get_in_the_order_asked": ("get", "记录按所求顺序给出，求两次给两次，不求则不给。"),
    "test_get_names_all_that_are_missing": ("get", "RecordNotFound 按所求顺序列出全部缺失的编号，各一次。"),
    "test_history_in_the_order_of_the_ids": ("history", "条目先按编号的顺序、再按各自的序号给出；未知编号没有条目。"),
    "test_keyed_gives_the_entry_of_the_key": ("by_key", "keyed 给出该人员使用该键的条目，没有则为 None。"),
    "test_closing_twice": ("close", "关闭两次无妨。"),
    "test_what_may_not_be_kept_is_not_there": (
        "get",
        "含 NUL 或孤立代理项等不可保存字符的文本，不是任何编号、人员或键。",
    ),
    "test_every_read_shows_the_commits_before_it": (
        "commit",
        "一次提交保存的内容，以后的每次读取都能看到，无论先前读过什么。",
    ),
    "test_a_refused_read_changes_nothing": ("find", "报错的读取同样不改变任何内容。"),
    "test_what_a_read_gives_is_the_readers_own": ("get", "读取给出的是值：读者如何处置所得列表，都不影响存储的内容。"),
    "test_what_a_writer_gave_is_the_stores_own": ("commit", "提交返回即告完成：此后写者如何处置其变更列表都无妨。"),
    # -- values
    "test_every_details_class_of_the_report_comes_back": ("history", "每种详情都原样读回，历史重演即得记录。"),
    "test_every_field_type_comes_back": ("get", "自定义的记录类原样读回，字段类型齐全，类也相同。"),
    "test_every_text_comes_back": ("get", "文本逐字读回：汉字、表情符号、从右到左的文字、空白、引号、控制字符。"),
    "test_every_text_is_found": ("find", "每个文本都能按含有它的每个字段找到，且只找到它。"),
    "test_the_longest_text_comes_back": ("get", "1 MiB 的文本在记录与详情中都原样读回。"),
    "test_times_come_back_to_the_microsecond": ("get", "时间读回为同一时刻，精确到微秒，无论以何时区给出。"),
    "test_none_is_not_blank": ("get", "None 与空文本是两个不同的值。"),
    "test_ids_and_keys_are_told_apart_letter_for_letter": ("get", "仅仅形似的编号、键和人员互不相同。"),
    # -- find
    "test_one_value": ("find", "每个文本字段都能找到有该值的记录；标签则任一值符合即可。"),
    "test_a_set_of_values": ("find", "给出一组值时，有其中任一值的记录都被找到；空组什么也找不到。"),
    "test_none_inside_a_set": ("find", "一组值中的 None 找到没有值的记录。"),
    "test_all_that_is_asked_must_fit": ("find", "所求各项都符合的记录才被找到；什么也不求则全部找到。"),
    "test_text_letter_for_letter": ("find", "text 在标题或正文中逐字查找：区分大小写，没有通配符。"),
    "test_names_letter_for_letter": ("find", "仅仅形似的文本是字段的不同值。"),
    "test_intervals_are_half_open": ("find", "区间含起点、不含终点，任一端为 None 即不限。"),
    "test_no_due_date_is_in_no_interval": ("find", "没有期限的记录不在任何区间内，不限的区间也不例外。"),
    "test_one_entry_must_fit_all_that_happened": (
        "find",
        "happened 要求同一条目符合全部条件，而非几个条目各符合一部分。",
    ),
    "test_texts_by_code_point": ("find", "文本按码位排序；“-”使顺序颠倒。"),
    "test_ids_by_code_point": ("find", "编号按码位排序。"),
    "test_times_by_moment": ("find", "时间按时刻排序，精确到微秒。"),
    "test_kinds_and_states_by_name": ("find", "种类与状态按名称排序。"),
    "test_no_due_date_comes_after_all_dates": ("find", "没有期限的排在所有期限之后；“-”也使之颠倒。"),
    "test_equals_by_id": ("find", "相等的按编号排，方向同顺序中的最后一项。"),
    "test_each_key_its_own_way": ("find", "顺序有多项时，各按各的方向。"),
    "test_pages_show_each_record_once_in_order": (
        "find",
        "无论何种顺序、每页多少，逐页翻看时每页都满，每条记录按顺序各现一次。",
    ),
    "test_pages_of_awkward_texts": ("find", "无论前面是什么文本，游标都能找到位置。"),
    "test_writing_between_pages": ("find", "无论翻页之间写入什么，位置未变的记录各现一次，一条不漏。"),
    "test_a_record_that_moved_is_shown_where_it_is_now": ("find", "移到已翻页之后的记录，在其新位置再次出现。"),
    "test_cursors_that_are_none": ("find", "不属于本查询顺序的游标即为 InvalidValue。"),
    # -- visibility
    "test_the_scopes": ("find", "OWN 可见本人创建或撰写的，UNIT 可见本单位的，ANY 可见全部；多项则任一即可。"),
    "test_no_grant": ("find", "没有授权，或授权没有范围或状态，则什么也看不见。"),
    "test_the_states_of_a_grant": ("find", "限定状态的授权只显示这些状态的记录；多项授权任一即可。"),
    "test_the_kind_of_a_grant": ("find", "一项授权只针对一个种类。"),
    "test_the_clearance": ("find", "任何人都看不见高于其密级权限的记录，本人的也不例外。"),
    "test_who_one_is_letter_for_letter": ("find", "仅仅形似的人员和单位是他人他处：其记录不属于本人本单位。"),
    "test_a_rule_narrows_what_is_asked": ("find", "可见规则与所求各项同时成立，每一页都如此。"),
    # -- count
    "test_records_and_entries": ("count", "不分组时答案为 {(): 数量}：符合的记录数，或其全部条目数。"),
    "test_nothing_to_count": ("count", "没有可数的：不分组为 {(): 0}，分组则没有任何组。"),
    "test_happened_chooses_the_entries": ("count", "有 happened 时，数符合它的条目，或有此类条目的记录。"),
    "test_groups_by_fields_of_the_record": ("count", "记录可按 RECORD_GROUPS 的每一项分组，没有值的归入 None。"),
    "test_entries_by_fields_of_their_record": ("count", "条目也可按其记录的字段分组。"),
    "test_groups_by_labels": ("count", "记录在其标签的每个值下各数一次，没有标签的归入 None。"),
    "test_groups_by_fields_of_the_entries": (
        "count",
        "记录与条目可按 ENTRY_GROUPS 的每一项分组；每组内记录不重复计数。",
    ),
    "test_several_groups": ("count", "按多个名称分组时，每组依名称顺序各有一个值。"),
    "test_adopted_twice_at_one_level_counts_once": ("count", "在同一级别两次被采用的记录只数一次；其采用条目为两条。"),
    "test_groups_letter_for_letter": ("count", "仅仅形似的文本分属不同的组。"),
    "test_order_limit_and_cursor_do_not_matter": ("count", "符合的全部计数，与查询的顺序和分页无关。"),
    "test_unknown_groups": ("count", "未知的组、重复的组和未知的 of 即为 InvalidValue。"),
    # -- feed
    "test_each_entry_once_oldest_first": ("feed", "每次提交的每个条目在流中按原样各现一次，先提交者在前。"),
    "test_positions_grow": ("feed", "位置逐条增大，条目的位置不变。"),
    "test_by_commit_not_by_the_clock": ("feed", "流按提交的先后排列：记录得早而提交得晚的条目排在后面。"),
    "test_entries_of_a_record_in_sequence": ("feed", "同一记录的条目按序号出现，同一提交中的也是。"),
    "test_behind_a_position": ("feed", "after 给出某位置之后的条目；最后位置之后，提交前一条也没有。"),
    "test_no_more_than_the_limit": ("feed", "流最多给出 limit 条，从最早的起；接着读下去一条不缺。"),
    "test_a_refused_commit_is_not_in_the_feed": ("feed", "被拒的提交在流中不留任何内容。"),
    "test_a_reader_beside_writers_misses_nothing": ("feed", "读到某位置的人已看到此前的一切，无论谁提交得晚。"),
    # -- threads
    "test_one_version_is_replaced_once": ("commit", "多个线程替换同一版本时恰有一个成功，其余得到 Conflict。"),
    "test_one_id_is_created_once": ("commit", "多个线程创建同一编号时恰有一个成功，其余得到 AlreadyExists。"),
    "test_one_key_is_used_once": ("commit", "多个线程使用同一人员的同一键时恰有一个成功，其余得到 DuplicateKey。"),
    "test_commits_that_cross": ("commit", "以不同顺序提交相同记录：一个完整成功，谁也不会永远等待。"),
    "test_commits_that_do_not_meet": ("commit", "提交不同的记录互不干扰。"),
    "test_other_threads_see_what_was_committed": (
        "commit",
        "一次提交保存的内容，任何线程以后的每次读取都能看到，无论该线程先前读过什么。",
    ),
    "test_no_read_shows_half_a_commit": ("commit", "与写入同时进行的读取，对每次提交要么全见，要么全不见。"),
    # -- beyond the contract
    "test_what_was_committed_outlives_the_store": ("commit", "声明 durable 的，重新打开后可见全部已提交内容。"),
    "test_a_store_opened_anew_goes_on": ("commit", "声明 durable 的，重新打开后继续：版本、键和位置一如从前。"),
    "test_two_stores_see_each_other": (
        "commit",
        "声明 shared 的，一个存储提交的内容，同一数据上的另一个存储以后的每次读取都能看到。",
    ),
    "test_two_stores_replace_a_version_once": ("commit", "声明 shared 的，经多个存储写入者中恰有一个替换某一版本。"),
    "test_a_rollback_of_the_host_takes_everything_back": (
        "commit",
        "声明 host_transaction 的，宿主回滚后不留记录、条目、键和位置。",
    ),
    "test_any_calls_in_any_order": ("every call", "无论以何顺序调用什么，存储的回答都与依契约写成的朴素模型一致。"),
}

#: Code -> (English, Chinese).
REASONS: Final[Mapping[str, tuple[str, str]]] = {
    "kept": (
        "The contract is kept: {passed} passed, {skipped} left out.",
        "契约得到遵守：通过 {passed} 项，略过 {skipped} 项。",
    ),
    "not_kept": (
        "The contract is not kept: {failed} failed, {passed} passed, {skipped} left out.",
        "契约未得到遵守：未通过 {failed} 项，通过 {passed} 项，略过 {skipped} 项。",
    ),
    "call.make_store": ("make_store", "工厂函数"),
    "call.every call": ("every call", "各个调用"),
    "outcome.passed": ("passed", "通过"),
    "outcome.failed": ("FAILED", "未通过"),
    "outcome.skipped": ("left out", "略过"),
    # -- why a test failed
    "reason.failed": ("This does not hold: {line}", "以下不成立：{line}"),
    "reason.said": ("{given} (in: {line})", "{given}（位于：{line}）"),
    "reason.differs": (
        "This does not hold: {line}\nleft:  {left}\nright: {right}",
        "以下不成立：{line}\n左边：{left}\n右边：{right}",
    ),
    "reason.differs_in": (
        "This does not hold: {line}\nleft{path} is {one}, and right{path} is {other}\nleft:  {left}\nright: {right}",
        "以下不成立：{line}\n左边{path} 为 {one}，右边{path} 为 {other}\n左边：{left}\n右边：{right}",
    ),
    "reason.holds_now": (
        "This did not hold, and holds when asked again: {line}\nThe same question has two answers.",
        "以下先前不成立，再问却成立：{line}\n同一问题有两个答案。",
    ),
    "reason.asked_again": (
        "This does not hold: {line}\nAsked again, the store raises {again}",
        "以下不成立：{line}\n再问时存储抛出 {again}",
    ),
    "reason.unmet": ("{kind} was due, not {given}. In: {line}", "应为 {kind}，实为 {given}。位于：{line}"),
    "due": ("{kind} was due, not {given}.", "应为 {kind}，实为 {given}。"),
    "reason.not_due": (
        "{kind} was raised where it is not due: {given} In: {line}",
        "不该抛出时抛出了 {kind}：{given} 位于：{line}",
    ),
    "reason.foreign": (
        "{kind}: {given}\nA store raises errors of reportflow.errors only; translate this one where it enters the "
        "store, or mend its cause. In: {line}",
        "{kind}：{given}\n存储只抛出 reportflow.errors 中的错误；请在其进入存储之处转换，或消除其原因。位于：{line}",
    ),
    "reason.misshapen": (
        "{kind}: {given}\nWhat the store gave cannot be used as the contract says. In: {line}",
        "{kind}：{given}\n存储给出的内容无法按契约使用。位于：{line}",
    ),
    "reason.flaky": (
        "The same calls end in different ways: {given}\nA store may depend on its calls only: not on chance, the clock "
        "or what another store was told.",
        "相同的调用结果不同：{given}\n存储只应取决于对它的调用：不取决于偶然、时钟或其他存储的内容。",
    ),
    "pages": (
        "The pages have no end: after 100 of them there was still a cursor. Give a cursor only where more follows.",
        "翻页没有尽头：100 页之后仍有游标。只有后面还有内容时才给出游标。",
    ),
    "hung": (
        "{number} call(s) did not come back in {seconds} s: the store waits for itself. Let go of every lock in a "
        "finally, and take several in one order.",
        "{number} 个调用在 {seconds} 秒内没有返回：存储在等待自身。请在 finally 中释放每个锁，多个锁按同一顺序获取。",
    ),
    # -- why a test was left out
    "skip.capability": (
        "The store does not declare the capability {capability}.",
        "存储没有声明 {capability} 能力。",
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
    # -- what is wrong with what the suite was given
    "factory.raised": (
        "The factory raised {kind}: {given} Give a function that takes nothing and gives a fresh, empty store.",
        "工厂函数抛出 {kind}：{given} 请给出一个不带参数、返回全新空存储的函数。",
    ),
    "factory.lacks": (
        "The factory gives a {kind}, which lacks calls of the contract: {names}. Give what has all of "
        "reportflow.storage.base.Store.",
        "工厂函数给出 {kind}，缺少契约中的调用：{names}。请给出具备 reportflow.storage.base.Store 全部调用的存储。",
    ),
    "factory.not_empty": (
        "The factory gives a store that is not empty. Give a fresh one each time: a new object on new data.",
        "工厂函数给出的存储不是空的。请每次给出全新的存储：新的对象，新的数据。",
    ),
    "factory.same": (
        "The factory gives the same store twice. Make a new one each time, inside the function.",
        "工厂函数两次给出同一个存储。请在函数内部每次新建。",
    ),
    "factory.same_data": (
        "The factory gives a new object on the same data: what was committed to one store is in the next. Give each "
        "its own file, folder, schema or prefix.",
        "工厂函数给出的是同一数据上的新对象：提交到一个存储的内容出现在下一个中。请为每个存储使用各自的文件、目录、模式或前缀。",
    ),
    "reopen.missing": (
        "The store declares durable or shared, and nobody says how it is opened again. Give reopen: it takes a store "
        "and gives one more on the same data.",
        "存储声明了 durable 或 shared，却没有说明如何再次打开。请给出 reopen：接受一个存储，返回同一数据上的另一个。",
    ),
    "reopen.raised": (
        "reopen raised {kind}: {given} It takes a store, which may be closed, and gives one more on the same data.",
        "reopen 抛出 {kind}：{given} 它接受一个存储（可能已关闭），返回同一数据上的另一个。",
    ),
    "reopen.lacks": (
        "reopen gives a {kind}, which lacks calls of the contract: {names}. Give one more store on the same data.",
        "reopen 给出 {kind}，缺少契约中的调用：{names}。请返回同一数据上的另一个存储。",
    ),
    "reopen.empty": (
        "reopen gives an empty store: what was committed is not in it. Open the same file, folder or database, or do "
        "not declare durable.",
        "reopen 给出的是空存储，其中没有已提交的内容。请打开同一文件、目录或数据库，否则不要声明 durable。",
    ),
    "rolled_back.missing": (
        "The store declares host_transaction, and nobody says how a host's is begun. Give rolled_back: it takes a "
        "store and gives a context manager that rolls back at its end.",
        "存储声明了 host_transaction，却没有说明如何开始宿主事务。请给出 rolled_back："
        "接受一个存储，返回一个结束时回滚的上下文管理器。",
    ),
}

#: The library's texts and those of the suite.
CATALOG: Final = STANDARD.with_texts(
    {
        **{f"conformance.{code}": {ENGLISH: english, CHINESE: chinese} for code, (english, chinese) in REASONS.items()},
        **{f"conformance.sentence.{test}": {CHINESE: chinese} for test, (_, chinese) in TESTS.items()},
    }
)


def call(test: str) -> str:
    """The call that a test is about; blank for a test of somebody else."""
    return TESTS.get(test, ("", ""))[0]


def sentence(test: str, language: str) -> str:
    """The sentence of a test in a language; blank where there is none."""
    return CATALOG.label("conformance.sentence", test, language) if test in TESTS else ""
