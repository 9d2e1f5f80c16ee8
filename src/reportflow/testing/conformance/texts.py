"""The call that each test of the suite is about, and its sentence in Chinese; in English it is the docstring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: The call that tests are about -> test -> its sentence in Chinese.
_SENTENCES: Final[Mapping[str, Mapping[str, str]]] = {
    "make_store": {
        "test_the_factory_gives_fresh_stores": "工厂函数不带参数，每次给出一个全新的空存储。",
    },
    "capabilities": {
        "test_capabilities_are_declared": "capabilities 是一个 Capabilities，且始终不变。",
    },
    "commit": {
        "test_what_was_committed_is_there": "一次提交把记录连同其历史条目一并保存。",
        "test_a_change_replaces_the_record_and_adds_to_its_history": "新记录取代旧记录；历史条目只增不减。",
        "test_a_change_may_hold_several_entries": "一个变更可以让记录前进若干版本，创建时或以后均可。",
        "test_all_changes_of_a_commit_are_kept": "一次提交保存其全部变更：创建与更新，以及不同种类的记录。",
        "test_many_changes_in_one_commit": "一次提交可含上千个变更，读取可带上千个编号。",
        "test_a_commit_of_nothing": "没有变更也是一次提交，什么也不保存。",
        "test_a_refused_commit_changes_nothing": "全部保存或全不保存：无论哪个变更因何被拒，提交均不留下任何内容。",
        "test_the_version_is_compared": "只有存储中的版本正是预期版本时变更才写入，旧了新了都不行。",
        "test_the_state_is_compared": "只有存储中的状态正是首个条目的起始状态时变更才写入。",
        "test_what_the_writer_saw_does_not_stand_in_for_what_is_stored": "before 绝不代替与存储内容的比较。",
        "test_what_the_writer_saw_changes_nothing_in_what_is_kept": (
            "有 before 时，存储可以不动未变的部分；变了的都要保存。"
        ),
        "test_one_record_in_two_changes": "同一记录出现在两个变更中即为 InvalidValue，无论另有何错。",
        "test_missing_records_are_all_named": "RecordNotFound 按给出的顺序列出全部不存在的记录，且不列其他。",
        "test_existing_records_are_all_named": "AlreadyExists 按给出的顺序列出全部已存在的待建记录，且不列其他。",
        "test_conflicts_are_all_named": "Conflict 按给出的顺序列出版本或状态不符的全部记录，且不列其他。",
        "test_a_key_used_before": "DuplicateKey 列出带有其人员已用过的键的全部记录，以及这些键。",
        "test_a_key_used_twice_in_one_commit": (
            "一个键只用一次：同一提交的两个变更或同一变更的两个条目用了它，即为 DuplicateKey。"
        ),
        "test_keys_are_an_actors_own": "两个人员可以使用相同的键。",
        "test_a_refused_commit_uses_no_key": "随被拒提交而来的键仍可使用。",
        "test_the_order_of_errors": (
            "有多个错误时按此顺序报第一个：RecordNotFound、AlreadyExists、Conflict、DuplicateKey。"
        ),
        "test_every_read_shows_the_commits_before_it": "一次提交保存的内容，以后的每次读取都能看到，无论先前读过什么。",
        "test_what_a_writer_gave_is_the_stores_own": "提交返回即告完成：此后写者如何处置其变更列表都无妨。",
        "test_one_version_is_replaced_once": "多个线程替换同一版本时恰有一个成功，其余得到 Conflict。",
        "test_one_id_is_created_once": "多个线程创建同一编号时恰有一个成功，其余得到 AlreadyExists。",
        "test_one_key_is_used_once": "多个线程使用同一人员的同一键时恰有一个成功，其余得到 DuplicateKey。",
        "test_commits_that_cross": "以不同顺序提交相同记录：一个完整成功，谁也不会永远等待。",
        "test_commits_that_do_not_meet": "提交不同的记录互不干扰。",
        "test_other_threads_see_what_was_committed": (
            "一次提交保存的内容，任何线程以后的每次读取都能看到，无论该线程先前读过什么。"
        ),
        "test_no_read_shows_half_a_commit": "与写入同时进行的读取，对每次提交要么全见，要么全不见。",
        "test_what_was_committed_outlives_the_store": "声明 durable 的，重新打开后可见全部已提交内容。",
        "test_a_store_opened_anew_goes_on": "声明 durable 的，重新打开后继续：版本、键和位置一如从前。",
        "test_two_stores_see_each_other": (
            "声明 shared 的，一个存储提交的内容，同一数据上的另一个存储以后的每次读取都能看到。"
        ),
        "test_two_stores_replace_a_version_once": "声明 shared 的，经多个存储写入者中恰有一个替换某一版本。",
        "test_a_rollback_of_the_host_takes_everything_back": (
            "声明 host_transaction 的，宿主回滚后不留记录、条目、键和位置。"
        ),
    },
    "get": {
        "test_get_in_the_order_asked": "记录按所求顺序给出，求两次给两次，不求则不给。",
        "test_get_names_all_that_are_missing": "RecordNotFound 按所求顺序列出全部缺失的编号，各一次。",
        "test_what_may_not_be_kept_is_not_there": "含 NUL 或孤立代理项等不可保存字符的文本，不是任何编号、人员或键。",
        "test_what_a_read_gives_is_the_readers_own": "读取给出的是值：读者如何处置所得列表，都不影响存储的内容。",
        "test_every_field_type_comes_back": "自定义的记录类原样读回，字段类型齐全，类也相同。",
        "test_every_text_comes_back": "文本逐字读回：汉字、表情符号、从右到左的文字、空白、引号、控制字符。",
        "test_the_longest_text_comes_back": "1 MiB 的文本在记录与详情中都原样读回。",
        "test_times_come_back_to_the_microsecond": "时间读回为同一时刻，精确到微秒，无论以何时区给出。",
        "test_none_is_not_blank": "None 与空文本是两个不同的值。",
        "test_ids_and_keys_are_told_apart_letter_for_letter": "仅仅形似的编号、键和人员互不相同。",
    },
    "history": {
        "test_history_in_the_order_of_the_ids": "条目先按编号的顺序、再按各自的序号给出；未知编号没有条目。",
        "test_every_details_class_of_the_report_comes_back": "每种详情都原样读回，历史重演即得记录。",
    },
    "by_key": {
        "test_keyed_gives_the_entry_of_the_key": "by_key 给出该人员使用该键的条目，没有则为 None。",
    },
    "close": {
        "test_closing_twice": "关闭两次无妨。",
    },
    "find": {
        "test_a_refused_read_changes_nothing": "报错的读取同样不改变任何内容。",
        "test_every_text_is_found": "每个文本都能按含有它的每个字段找到，且只找到它。",
        "test_one_value": "每个文本字段都能找到有该值的记录；标签则任一值符合即可。",
        "test_a_set_of_values": "给出一组值时，有其中任一值的记录都被找到；空组什么也找不到。",
        "test_none_inside_a_set": "一组值中的 None 找到没有值的记录。",
        "test_all_that_is_asked_must_fit": "所求各项都符合的记录才被找到；什么也不求则全部找到。",
        "test_text_letter_for_letter": "text 在标题或正文中逐字查找：区分大小写，没有通配符。",
        "test_names_letter_for_letter": "仅仅形似的文本是字段的不同值。",
        "test_intervals_are_half_open": "区间含起点、不含终点，任一端为 None 即不限。",
        "test_no_due_date_is_in_no_interval": "没有期限的记录不在任何区间内，不限的区间也不例外。",
        "test_one_entry_must_fit_all_that_happened": "happened 要求同一条目符合全部条件，而非几个条目各符合一部分。",
        "test_texts_by_code_point": "文本按码位排序；“-”使顺序颠倒。",
        "test_ids_by_code_point": "编号按码位排序。",
        "test_times_by_moment": "时间按时刻排序，精确到微秒。",
        "test_kinds_and_states_by_name": "种类与状态按名称排序。",
        "test_no_due_date_comes_after_all_dates": "没有期限的排在所有期限之后；“-”也使之颠倒。",
        "test_equals_by_id": "相等的按编号排，方向同顺序中的最后一项。",
        "test_each_key_its_own_way": "顺序有多项时，各按各的方向。",
        "test_pages_show_each_record_once_in_order": (
            "无论何种顺序、每页多少，逐页翻看时每页都满，每条记录按顺序各现一次。"
        ),
        "test_pages_of_awkward_texts": "无论前面是什么文本，游标都能找到位置。",
        "test_writing_between_pages": "无论翻页之间写入什么，位置未变的记录各现一次，一条不漏。",
        "test_a_record_that_moved_is_shown_where_it_is_now": "移到已翻页之后的记录，在其新位置再次出现。",
        "test_cursors_that_are_none": "不属于本查询顺序的游标即为 InvalidValue。",
        "test_the_scopes": "OWN 可见本人创建或撰写的，UNIT 可见本单位的，ANY 可见全部；多项则任一即可。",
        "test_no_grant": "没有授权，或授权没有范围或状态，则什么也看不见。",
        "test_the_states_of_a_grant": "限定状态的授权只显示这些状态的记录；多项授权任一即可。",
        "test_the_kind_of_a_grant": "一项授权只针对一个种类。",
        "test_the_clearance": "任何人都看不见高于其密级权限的记录，本人的也不例外。",
        "test_who_one_is_letter_for_letter": "仅仅形似的人员和单位是他人他处：其记录不属于本人本单位。",
        "test_a_rule_narrows_what_is_asked": "可见规则与所求各项同时成立，每一页都如此。",
    },
    "count": {
        "test_records_and_entries": "不分组时答案为 {(): 数量}：符合的记录数，或其全部条目数。",
        "test_nothing_to_count": "没有可数的：不分组为 {(): 0}，分组则没有任何组。",
        "test_happened_chooses_the_entries": "有 happened 时，数符合它的条目，或有此类条目的记录。",
        "test_groups_by_fields_of_the_record": "记录可按 RECORD_GROUPS 的每一项分组，没有值的归入 None。",
        "test_entries_by_fields_of_their_record": "条目也可按其记录的字段分组。",
        "test_groups_by_labels": "记录在其标签的每个值下各数一次，没有标签的归入 None。",
        "test_groups_by_fields_of_the_entries": "记录与条目可按 ENTRY_GROUPS 的每一项分组；每组内记录不重复计数。",
        "test_several_groups": "按多个名称分组时，每组依名称顺序各有一个值。",
        "test_adopted_twice_at_one_level_counts_once": "在同一级别两次被采用的记录只数一次；其采用条目为两条。",
        "test_groups_letter_for_letter": "仅仅形似的文本分属不同的组。",
        "test_order_limit_and_cursor_do_not_matter": "符合的全部计数，与查询的顺序和分页无关。",
        "test_unknown_groups": "未知的组、重复的组和未知的 of 即为 InvalidValue。",
    },
    "feed": {
        "test_each_entry_once_oldest_first": "每次提交的每个条目在流中按原样各现一次，先提交者在前。",
        "test_positions_grow": "位置逐条增大，条目的位置不变。",
        "test_by_commit_not_by_the_clock": "流按提交的先后排列：记录得早而提交得晚的条目排在后面。",
        "test_entries_of_a_record_in_sequence": "同一记录的条目按序号出现，同一提交中的也是。",
        "test_behind_a_position": "after 给出某位置之后的条目；最后位置之后，提交前一条也没有。",
        "test_no_more_than_the_limit": "流最多给出 limit 条，从最早的起；接着读下去一条不缺。",
        "test_a_refused_commit_is_not_in_the_feed": "被拒的提交在流中不留任何内容。",
        "test_a_reader_beside_writers_misses_nothing": "读到某位置的人已看到此前的一切，无论谁提交得晚。",
    },
    "every call": {
        "test_any_calls_in_any_order": "无论以何顺序调用什么，存储的回答都与依契约写成的朴素模型一致。",
    },
}

#: Test -> (the call that it is about, its sentence in Chinese).
TESTS: Final[Mapping[str, tuple[str, str]]] = {
    test: (call, chinese) for call, sentences in _SENTENCES.items() for test, chinese in sentences.items()
}
