"""The vocabulary of the demonstration: its city, its calendar, its topics, and the short remarks of the office.

The city of Shuochuan (朔川), its counties, units and people are invented; no prefecture or county of China has these
names. Leaders appear by their post only. The texts of the reports lie in `texts/`, see `reportflow.demo.texts`.
"""

from __future__ import annotations

from datetime import date
from typing import Final

#: What the first screen says, by language.
NOTE: Final[dict[str, str]] = {
    "en": (
        "The city of Shuochuan, its counties, units, people and reports are invented; only the year's totals are those"
        " that a real city published of 2022."
    ),
    "zh": (
        "“朔川市”及所辖县市区、单位、人员和信息内容均为虚构，仅供演示；年度统计总数参照某市公开的2022年数据，"
        "如与真实地名、人名相同，纯属巧合。"
    ),
}

UNIT: Final = "shuochuan"
BODY: Final = "朔川市政协"
ABOVE: Final = "省政协"
CARRIER: Final = "《协商建言》"

#: The twelve counties, cities and districts, in the order of the city's own lists.
COUNTIES: Final = (
    "临朔区", "西塬区", "乌岭市", "禹渡县", "安塬县", "白池县", "绥岭县", "米川县", "葭川县", "石堡县",
    "清坪县", "桃川县",
)  # fmt: skip
#: A word for where a matter is found -> the places.
REGIONS: Final[dict[str, tuple[str, ...]]] = {
    "all": COUNTIES,
    "urban": ("临朔区", "西塬区", "乌岭市", "高新区", "中心城区"),
    "rural": COUNTIES[1:],
    "north": ("西塬区", "乌岭市", "禹渡县", "安塬县", "白池县"),
    "south": ("绥岭县", "米川县", "葭川县", "石堡县", "清坪县", "桃川县"),
    "river": ("禹渡县", "葭川县", "石堡县", "清坪县"),
    "coal": ("乌岭市", "禹渡县"),
    "sheep": ("西塬区", "安塬县", "白池县"),
}

#: The public holidays of 2022 and of January 2023 that fall on weekdays, and the days at weekends that were worked.
HOLIDAYS: Final = frozenset(
    [
        date(2022, month, day)
        for month, days in {
            1: (3, 31), 2: (1, 2, 3, 4), 4: (4, 5), 5: (2, 3, 4), 6: (3,), 9: (12,), 10: (3, 4, 5, 6, 7),
        }.items()
        for day in days
    ]
    + [date(2023, 1, 2)]
)  # fmt: skip
WORKED_WEEKENDS: Final = frozenset(
    date(2022, month, day) for month, day in ((1, 29), (1, 30), (4, 2), (4, 24), (5, 7), (10, 8), (10, 9))
)

#: Topic -> the category under which it is filed.
CATEGORIES: Final[dict[str, str]] = {
    "healthcare": "科教文卫体",
    "education": "科教文卫体",
    "elderly_care": "劳动和社会保障",
    "childcare": "劳动和社会保障",
    "employment": "劳动和社会保障",
    "social_security": "劳动和社会保障",
    "housing": "城市建设和管理",
    "food_safety": "其他",
    "transport": "城市建设和管理",
    "industry": "经济",
    "agriculture": "经济",
    "business": "经济",
    "environment": "城市建设和管理",
    "city_management": "城市建设和管理",
    "culture_tourism": "科教文卫体",
    "rule_of_law": "其他",
}

# ---------------------------------------------------------------------------------------------------------------
# The composed reports: how contributors write, and how the office does. `{…}` are parts of a matter.

RAW: Final = (
    "{facts}。反映较多的问题有：{problems}。{wish}。",
    "近期了解到，{facts}。究其原因，{problems}。{wish}。",
    "{facts}。群众和基层干部反映，{problems}。为此，{wish}。",
    "一、情况：{facts}。二、问题：{problems}。三、建议：{wanted}。",
    "{facts}。目前存在的困难：{problems}。{wish}，请有关部门研究。",
)
REVISED: Final = (
    "{raw}\n补充情况：{more}。补充建议：一是{advice[0]}；二是{advice[1]}。",
    "{raw}\n按照编辑意见补充：{more}。具体建议：{advice[0]}；{advice[1]}。",
)
EDITED: Final = (
    "据{author}反映，{facts}；{more}。\n主要问题：一是{problem[0]}；二是{problem[1]}；三是{problem[2]}。\n"
    "建议：一是{advice[0]}；二是{advice[1]}；三是{advice[2]}。"
)

# ---------------------------------------------------------------------------------------------------------------
# Grounds and remarks

RETURNS: Final = (
    "“{problem}”缺少具体数据，请注明出处后再报。",
    "建议过于笼统，请写明由哪个部门做什么。",
    "一事一报：请只保留“{problem}”一个方面。",
    "情况部分请补充一个典型案例。",
    "与{place}近期所报内容相近，请补充新的情况。",
)
KEEPS: Final = (
    "所提问题已列入有关部门年度计划，留存备用。",
    "近期已编发同类信息，留存。",
    "情况尚待核实，留存跟踪。",
    "{place}已着手解决，留存，待季度综合时使用。",
    "有一定参考价值，但“{problem}”缺少面上的数据，留存。",
    "与市情况通报内容重复较多，留存备查。",
)
WITHDRAWALS: Final = (
    "反映的问题已经解决，申请撤回。",
    "拟补充调研后重新提交，申请撤回。",
    "拟转为提案提交，申请撤回。",
)
#: (code, reason)
REJECTIONS: Final = (
    ("routine_news", "属一般工作动态，不是社情民意信息。"),
    ("already_published", "内容已公开发表。"),
    ("personal_matter", "属个人具体诉求，请通过信访渠道反映。"),
    ("no_suggestion", "只有问题，没有建议。"),
    ("in_litigation", "涉及正在审理的案件。"),
)
COMMENTS: Final = (
    "“{problem}”的数据来源请注明。",
    "请与{department}核对最新口径。",
    "题目可再精炼，突出“{topic}”。",
    "请反映人就“{problem}”补充一个典型案例。",
    "与本季度选题参考相符，优先编辑。",
    "“{advice}”请写明牵头单位和时限。",
)
#: (result, what the department wrote)
REPLIES: Final = (
    ("solved", "已逐条办理，{place}反映的问题基本解决，将加强回访。"),
    ("in_progress", "正在会同{place}研究办理，其中“{advice}”已着手推进。"),
    ("planned", "“{advice}”拟列入下年度工作计划，待经费落实后实施。"),
    ("noted", "所提“{advice}”目前暂不具备条件，已说明情况，留作参考。"),
    ("in_progress", "已派人到{place}实地了解，有关措施纳入本年度重点任务推进。"),
)
#: What a department writes that is not the right one.
NOT_OURS: Final = "该事项不属我单位职责，建议转{department}办理，申请退回。"
PASSED_ON: Final = "原承办单位申退，同意改派。"
ERROR: Final = "误将外市同题信息登记为本件采用，撤销登记。"
