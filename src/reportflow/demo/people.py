"""The people of the demonstration: the office's staff, those who hand reports in, and who may sign in to try it.

All of them are invented. Leaders have no names and are not here.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from reportflow.demo.vocabulary import COUNTIES, UNIT
from reportflow.model.actor import Actor, Secrecy
from reportflow.office.report import Author, Level, Source


def _staff(id: str, name: str, post: str, *roles: str, clearance: Secrecy = Secrecy.CONFIDENTIAL) -> Actor:
    return Actor(id=id, name=name, roles=set(roles), unit=UNIT, clearance=clearance, post=post)


def contributor(id: str, name: str, post: str) -> Actor:
    """Who hands in reports."""
    return Actor(id=id, name=name, roles={"contributor"}, unit=UNIT, post=post)


EDITORS: Final = (
    _staff("editor-li", "李娜", "市政协办公室信息科编辑", "editor"),
    _staff("editor-ma", "马岩", "市政协办公室信息科编辑", "editor"),
    _staff("editor-gao", "高燕", "市政协委员工作和信息中心编辑", "editor"),
)
REVIEWERS: Final = (
    _staff("reviewer-wang", "王强", "市政协办公室信息科科长", "reviewer"),
    _staff("reviewer-zhao", "赵楠", "市政协委员工作和信息中心主任", "reviewer"),
)
REGISTRAR: Final = _staff("registrar-chen", "陈静", "市政协办公室文书", "registrar")
AUDITOR: Final = _staff("auditor-sun", "孙立民", "市政协副秘书长", "auditor", clearance=Secrecy.SECRET)
#: Reads all that the office has, with whole entries, as a keeper of the system must.
ADMINISTRATOR: Final = _staff(
    "auditor-tian", "田卫东", "市政协办公室保密和系统管理员", "auditor", clearance=Secrecy.TOP_SECRET
)

#: Members: name, post or unit, and the topics that they write about.
_MEMBERS: Final = """
何晓燕 市第一医院儿科主任 healthcare childcare
段文涛 市中医医院副院长 healthcare elderly_care
罗秀兰 市妇幼保健院护理部主任 healthcare childcare
方志平 西塬区疾控中心主任 healthcare food_safety
史建军 市第二中学校长 education
崔丽华 临朔区第六小学教师 education childcare
邵明远 朔川学院教授 education employment agriculture
汪雪梅 市特殊教育学校校长 education social_security
任彩霞 临朔区颐康养老服务中心负责人 elderly_care social_security
侯建业 市人力资源服务行业协会会长 employment business
万海生 乌岭市恒远煤化公司总工程师 industry environment
尹国栋 市氢能产业研究院副院长 industry transport
龚树林 白池县绿源养殖合作社理事长 agriculture food_safety
潘春芳 绥岭县山地果业公司负责人 agriculture business
贾永福 市农业技术推广中心研究员 agriculture environment
江红梅 市水土保持监测站高级工程师 environment agriculture
陶建新 市规划设计院院长 city_management housing transport
黎志刚 市公交公司副总经理 transport city_management
夏玉兰 新城街道长宁路社区党委书记 housing elderly_care city_management
丁少波 市物业管理协会秘书长 housing city_management
石文静 同正律师事务所主任 rule_of_law business housing
傅建平 市食品检验检测中心主任 food_safety healthcare
姚桂珍 市文物保护研究所所长 culture_tourism
蒋海涛 市民间艺术团团长 culture_tourism education
熊志坚 市中小企业商会会长 business employment industry
金晓东 市数字产业园运营公司经理 business city_management
薛国华 市热力公司总工程师 city_management environment housing
阎秀珍 市残疾人康复中心主任 social_security healthcare
魏长林 禹渡县黄河旅游公司经理 culture_tourism transport
钟小玲 市家政服务行业协会会长 employment childcare elderly_care
韩立新 国网朔川供电公司工程师 transport industry city_management
卢明珠 市心理卫生协会副会长 healthcare education
武成义 清坪县红枣协会会长 agriculture business
邱玉明 市医疗保障研究会副会长 social_security healthcare
孔德江 市消防救援技术中心工程师 housing city_management rule_of_law
郭兰英 桃川县柳树湾村党支部书记 agriculture elderly_care rule_of_law
"""
#: Special contributors: name, post, topics.
_SPECIAL: Final = """
谢雅琴 《朔川日报》记者 healthcare education transport city_management
景少华 市委党校副教授 rule_of_law business employment
雷秀芳 临朔区退休教师 education elderly_care housing
思远航 新业态骑手代表 employment food_safety transport
延晓红 市图书馆馆员 culture_tourism education
尚文博 高新区企业服务专员 business industry
屈海军 安塬县林场护林员 environment agriculture
焦玉梅 米川县乡镇卫生院医师 healthcare social_security
党卫民 石堡县乡镇干部 agriculture rule_of_law environment
白晓峰 市青年创业协会理事 employment business education
"""
#: Parties and the federation: name, who types for it, topics ("*": any).
_PARTIES: Final = """
民革朔川市委会 田雨 rule_of_law social_security agriculture elderly_care
民盟朔川市委会 宋佳 education culture_tourism employment healthcare
民建朔川市委会 冯凯 business industry housing employment
民进朔川市委会 董芳 education culture_tourism childcare
农工党朔川市委会 程颖 healthcare environment elderly_care food_safety
九三学社朔川市委会 曹宁 industry environment transport agriculture healthcare
市工商联 彭飞 business industry employment
"""
_COMMITTEES: Final = """
市政协提案委员会 吕梅 transport housing healthcare city_management
市政协经济委员会 苏航 industry business employment
市政协农业和农村委员会 蔡勇 agriculture environment
市政协人口资源环境委员会 袁媛 environment industry city_management
市政协教科卫体委员会 许诺 education healthcare childcare food_safety
市政协社会法制委员会 邓洁 rule_of_law elderly_care social_security employment
市政协文化文史和学习委员会 萧然 culture_tourism education
市政协民族宗教和港澳台侨委员会 唐琳 culture_tourism business social_security
"""
_STUDIOS: Final = """
医药卫生界委员工作室 顾萍 healthcare childcare elderly_care
教育界委员工作室 孟涛 education childcare
高新区委员工作室 秦川 business industry employment transport
社会福利界委员工作室 尤丽 elderly_care social_security housing
古城街道委员工作室 戴明 housing culture_tourism city_management food_safety
新城街道委员工作室 严冬梅 environment business
"""
_POINTS: Final = """
市第一医院 葛敏 healthcare social_security
市第二中学 常虹 education
朔川学院 祝青 education employment culture_tourism
长宁路社区 解芳 housing elderly_care city_management
乌岭市化工园区管委会 路广 industry environment
高新区企业服务中心 项楠 business industry employment
"""
_REPORT_POINTS: Final = """
市公交公司 牛建国 transport
新城街道便民服务中心 柴静文 housing elderly_care social_security rule_of_law
市市场监管综合服务站 边磊 food_safety business
"""
_SECTORS: Final = """
医药卫生界 顾萍 healthcare
农业界 严冬梅 agriculture
经济界 秦川 business industry
社会福利和社会保障界 尤丽 elderly_care social_security
"""
_LIAISONS: Final = [
    "梁静",
    "樊华",
    "温岚",
    "贺文斌",
    "纪元",
    "马小兵",
    "辛勤",
    "米丽",
    "齐红",
    "霍达",
    "拓宽",
    "艾志山",
]


#: Where studios and contact points of the city are.
_IN_TOWN: Final = ("临朔区", "西塬区", "高新区", "中心城区")


def _lines(table: str) -> list[list[str]]:
    return [line.split() for line in table.strip().splitlines()]


class Contributor(NamedTuple):
    """Who hands in reports.

    Attributes:
        source: What they are to the office.
        actor: Who types.
        author: Whom the report names as its author: the person, or the body that they type for.
        topics: What they write about; empty for anything that happens at home.
        places: Where they know their way; empty for everywhere.
    """

    source: Source
    actor: Actor
    author: Author
    topics: frozenset[str]
    places: tuple[str, ...] = ()


def _persons(source: Source, stem: str, what: str, level: Level | None, table: str) -> list[Contributor]:
    found = []
    for place, (name, post, *topics) in enumerate(_lines(table), 1):
        actor = contributor(f"{stem}-{place:02}", name, f"{what}、{post}")
        author = Author(name=name, id=actor.id, unit=actor.post, level=level)
        found.append(Contributor(source, actor, author, frozenset(topics), _home(post)))
    return found


def _home(name: str) -> tuple[str, ...]:
    """The county that a post or the name of a body begins with."""
    return tuple(county for county in COUNTIES if name.startswith(county))


def _bodies(source: Source, stem: str, what: str, table: str, places: tuple[str, ...] = ()) -> list[Contributor]:
    found = []
    for place, (body, name, *topics) in enumerate(_lines(table), 1):
        actor = contributor(f"{stem}-{place:02}", name, f"{body}信息联络员")
        author = Author(name=body, id=actor.id, unit=what)
        found.append(Contributor(source, actor, author, frozenset(topics), _home(body) or places))
    return found


def _counties() -> list[Contributor]:
    found = []
    for place, (county, name) in enumerate(zip(COUNTIES, _LIAISONS, strict=True), 1):
        actor = contributor(f"county-{place:02}", name, f"{county}政协办公室主任")
        author = Author(name=f"{county}政协", id=actor.id, unit="县市区政协", level=Level.COUNTY)
        found.append(Contributor(Source.COUNTY_COMMITTEE, actor, author, frozenset(), (county,)))
    return found


#: Source -> how many of the year's 446 reports, and from whom.
SOURCES: Final[dict[Source, tuple[int, list[Contributor]]]] = {
    Source.MEMBER: (110, _persons(Source.MEMBER, "member", "市政协委员", Level.CITY, _MEMBERS)),
    Source.PARTY: (92, _bodies(Source.PARTY, "party", "民主党派和工商联", _PARTIES)),
    Source.COUNTY_COMMITTEE: (96, _counties()),
    Source.SPECIAL_COMMITTEE: (38, _bodies(Source.SPECIAL_COMMITTEE, "committee", "市政协专委会", _COMMITTEES)),
    Source.SPECIAL_CONTRIBUTOR: (
        40, _persons(Source.SPECIAL_CONTRIBUTOR, "contributor", "特邀信息员", None, _SPECIAL),
    ),
    Source.MEMBER_STUDIO: (34, _bodies(Source.MEMBER_STUDIO, "studio", "委员工作室", _STUDIOS, _IN_TOWN)),
    Source.CONTACT_POINT: (18, _bodies(Source.CONTACT_POINT, "point", "信息联系点", _POINTS, _IN_TOWN)),
    Source.DIRECT_REPORT_POINT: (
        10, _bodies(Source.DIRECT_REPORT_POINT, "report-point", "信息直报点", _REPORT_POINTS, _IN_TOWN),
    ),
    Source.SECTOR_GROUP: (8, _bodies(Source.SECTOR_GROUP, "sector", "界别活动组", _SECTORS)),
}  # fmt: skip

#: Everybody who hands in reports, by the id of the actor.
CONTRIBUTORS: Final = {one.actor.id: one for _, found in SOURCES.values() for one in found}

#: Who may sign in to try the office: those who hand in first, then the staff, in the order of a report's way.
PEOPLE: Final[tuple[Actor, ...]] = (
    CONTRIBUTORS["member-01"].actor,
    CONTRIBUTORS["county-04"].actor,
    CONTRIBUTORS["contributor-01"].actor,
    *EDITORS,
    *REVIEWERS,
    REGISTRAR,
    AUDITOR,
    ADMINISTRATOR,
)
