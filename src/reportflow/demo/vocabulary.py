"""The vocabulary of the demonstration: the tables of names and sentences that its year is composed of.

The office, its people and its reports are invented; the counties are those of Yulin (榆林). Leaders have no names.
"""

from __future__ import annotations

from datetime import date
from typing import Final, NamedTuple

from reportflow.model.actor import Actor
from reportflow.office.report import Level, Source

UNIT: Final = "yulin"
BODY: Final = "榆林市政协"
ABOVE: Final = "陕西省政协"
CARRIER: Final = "《协商建言》"

#: The public holidays of 2022 that fall on weekdays, and the days at weekends that were worked for them.
HOLIDAYS: Final = frozenset(
    date(2022, month, day)
    for month, days in {
        1: (3, 31), 2: (1, 2, 3, 4), 4: (4, 5), 5: (2, 3, 4), 6: (3,), 9: (12,), 10: (3, 4, 5, 6, 7),
    }.items()
    for day in days
)  # fmt: skip
WORKED_WEEKENDS: Final = frozenset(
    date(2022, month, day) for month, day in ((1, 29), (1, 30), (4, 2), (4, 24), (5, 7), (10, 8), (10, 9))
)

# ---------------------------------------------------------------------------------------------------------------
# People


def _staff(role: str, **names: str) -> tuple[Actor, ...]:
    return tuple(Actor(id=f"{role}-{id}", name=name, roles={role}, unit=UNIT) for id, name in names.items())


EDITORS: Final = _staff("editor", li="李娜", ma="马超", gao="高燕")
REVIEWERS: Final = _staff("reviewer", wang="王强", zhao="赵敏")
REGISTRAR: Final = _staff("registrar", chen="陈静")[0]

COUNTIES: Final = (
    "榆阳区", "横山区", "神木市", "府谷县", "靖边县", "定边县", "绥德县", "米脂县", "佳县", "吴堡县",
    "清涧县", "子洲县",
)  # fmt: skip
PLACES: Final = ("中心城区", "高新区", *COUNTIES)

MEMBERS: Final = (
    "王建国", "李晓梅", "张志远", "刘海燕", "高凤英", "马永强", "曹雪琴", "贺文斌", "白玉兰", "康继东",
    "杜春生", "艾小平", "薛丽萍", "常国庆", "霍明亮", "郝爱萍", "折志刚", "苗秀英", "乔振华", "柳东升",
    "任晓霞", "冯树林", "惠建军", "拓海英",
)  # fmt: skip
CONTRIBUTORS: Final = (
    "姬晓东", "党卫民", "谢雅琴", "景志强", "雷秀芳", "思建平", "延晓红", "尚文博", "屈海军", "焦玉梅",
)  # fmt: skip
CONTACT_POINTS: Final = (
    "市第一医院", "市教育局", "市民政局", "市人社局", "市工商联", "榆林学院", "市中医医院", "市妇联", "团市委",
    "市残联", "航宇路街道", "新明楼街道",
)  # fmt: skip
STUDIOS: Final = (
    "医疗卫生界委员工作室", "教育界委员工作室", "高新区委员工作室", "社会福利界委员工作室", "古城委员工作室",
)  # fmt: skip

#: source -> (how many of the year's reports, the stem of its actors' ids, their names, what they are, their level).
SOURCES: Final[dict[Source, tuple[int, str, tuple[str, ...], str, Level | None]]] = {
    Source.MEMBER: (168, "member", MEMBERS, "榆林市政协委员", Level.CITY),
    Source.CONTACT_POINT: (92, "point", CONTACT_POINTS, "信息联系点", None),
    Source.MEMBER_STUDIO: (54, "studio", STUDIOS, "委员工作室", None),
    Source.SPECIAL_CONTRIBUTOR: (66, "contributor", CONTRIBUTORS, "特邀信息员", None),
    Source.COUNTY_COMMITTEE: (66, "county", tuple(f"{one}政协" for one in COUNTIES), "县市区政协", Level.COUNTY),
}

#: (who, level, principal or not, what was written)
LEADERS: Final = (
    ("市政府主要领导", Level.CITY, True, "所提建议很有针对性，请{department}牵头研究吸纳。"),
    ("省政府有关领导", Level.PROVINCE, False, "请榆林市研处。"),
    ("市政府分管领导", Level.CITY, False, "请{department}逐条研究，一个月内报结果。"),
    ("市委有关领导", Level.CITY, False, "反映的问题要重视，请{department}抓好落实。"),
)

# ---------------------------------------------------------------------------------------------------------------
# Matters


class Matter(NamedTuple):
    """What a report may be about: its topic, the problem, its cause and two suggestions."""

    topic: str
    problem: str
    cause: str
    first: str
    second: str


#: topic -> (category, the department that handles it)
TOPICS: Final[dict[str, tuple[str, str]]] = {
    "healthcare": ("科教文卫体", "市卫生健康委"),
    "education": ("科教文卫体", "市教育局"),
    "elderly_care": ("劳动和社会保障", "市民政局"),
    "childcare": ("劳动和社会保障", "市卫生健康委"),
    "employment": ("劳动和社会保障", "市人力资源社会保障局"),
    "social_security": ("劳动和社会保障", "市医疗保障局"),
    "housing": ("城市建设和管理", "市住房和城乡建设局"),
    "food_safety": ("科教文卫体", "市市场监管局"),
    "transport": ("城市建设和管理", "市交通运输局"),
    "industry": ("经济", "市工业和信息化局"),
    "agriculture": ("经济", "市农业农村局"),
    "business": ("经济", "市行政审批服务局"),
    "environment": ("城市建设和管理", "市生态环境局"),
    "city_management": ("城市建设和管理", "市城市管理执法局"),
    "culture_tourism": ("科教文卫体", "市文化和旅游局"),
    "rule_of_law": ("其他", "市司法局"),
}

#: A line a matter: topic, problem, cause and two suggestions. At least 281 pairs of a matter of livelihood and a place,
#: and 165 of the others, so that no two titles are equal.
_MATTERS: Final = """
healthcare 基层医疗机构药品配备不足 集中采购目录与基层用药衔接不够 扩大基层用药目录 建立县乡药品统一配送
healthcare 乡村医生队伍老化 待遇偏低、养老保障不到位 提高村医补助标准 定向培养本土医学生
healthcare 儿科门诊就诊难 儿科医师缺口较大 增设儿科夜间门诊 推动医联体儿科医师下沉
healthcare 互联网诊疗便民程度不高 医院间数据没有打通 推行检查检验结果互认 为老年人保留人工窗口
education 校园安全防控体系不完善 人防物防技防投入不均衡 配齐专职安保人员 推动一键报警全覆盖
education 课后服务质量不高 师资单一、经费保障不足 引入社会专业力量 完善课后服务经费分担机制
education 中小学生近视率偏高 户外活动时间不足 保障每天户外活动两小时 建立视力健康电子档案
education 农村寄宿制学校条件薄弱 生活教师缺编 按标准配备生活教师 改造供暖和洗浴设施
elderly_care 农村留守老人就餐难 互助幸福院运营经费不足 推广老年助餐流动配送 对助餐点给予运营补贴
elderly_care 居家适老化改造推进慢 改造标准和补贴政策宣传不够 扩大适老化改造覆盖面 引入专业机构评估
elderly_care 失能老人照护力量短缺 护理员职业吸引力低 开展护理员免费培训 探索长期护理保险
childcare 普惠托育机构数量不足 场地和消防审批难度大 利用闲置校舍办托育 落实托育机构水电气价格优惠
childcare 托育服务质量参差不齐 从业人员持证率不高 建立托育机构星级评定 加强保育师资培养
childcare 用人单位办托积极性不高 建设和运营成本较高 给予一次性建设补助 支持工会经费用于托育
employment 高校毕业生留榆就业意愿不强 岗位与专业匹配度不高 办好本地企业校园招聘 完善青年人才安居政策
employment 零工市场建设滞后 缺少固定场所和信息平台 建设规范化零工驿站 为零工人员办理意外保险
employment 新就业形态劳动者权益保障不足 劳动关系认定困难 推行电子劳动合同 开展职业伤害保障试点
social_security 异地就医直接结算不便 备案流程和结算范围宣传不足 推行备案承诺制 扩大门诊慢特病结算范围
social_security 残疾人辅具适配服务不足 基层辅具服务站点少 建立辅具租赁服务点 简化补贴申领手续
social_security 困难群众临时救助时效不高 审批层级较多 下放小额救助审批权限 建立主动发现机制
housing 老旧小区加装电梯推进难 居民意见协调难、资金来源单一 制定分摊比例参考标准 支持提取公积金加装电梯
housing 物业服务不规范 业主委员会组建率低 推动党建引领小区治理 公开物业收支明细
housing 保障性租赁住房供给不足 存量房源盘活不够 支持闲置楼宇改建 优先保障新市民和青年人
food_safety 校园周边食品摊点监管薄弱 流动经营取证难 划定规范经营区 推行快检结果公示
food_safety 网络订餐后厨监管不到位 平台审核责任落实不严 推广明厨亮灶 建立外卖封签制度
food_safety 农村集体聚餐食品安全隐患突出 乡厨备案培训不足 完善乡厨备案管理 下沉协管员现场指导
transport 学校门口高峰期拥堵 接送车辆停放空间不足 设置限时停车泊位 开行学生定制公交
transport 农村客运班线覆盖不足 客源少、运营亏损 推行预约响应式客运 推动客货邮融合发展
transport 新能源汽车充电设施布局不均 老旧小区电力容量不足 统一规划公共充电站 推动充电数据接入统一平台
industry 兰炭企业转型升级困难 环保改造投入大、融资难 设立技术改造专项资金 组建产业创新联合体
industry 煤矸石综合利用率不高 利用途径单一、标准缺失 制定地方利用标准 支持建材化利用项目
industry 氢能产业链配套不足 加氢站审批流程不明确 明确加氢站主管部门 开展重卡示范运营
agriculture 羊子产业品牌影响力不强 良种繁育和精深加工滞后 建设良种繁育基地 统一地理标志使用管理
agriculture 山地苹果储藏能力不足 产地冷链设施缺口大 支持合作社建设冷库 完善冷链运输补贴
agriculture 高标准农田管护不到位 管护主体和经费不明确 落实村级管护责任 将管护经费列入预算
agriculture 小杂粮种植机械化水平低 丘陵山区农机适应性差 研发推广小型农机 开展宜机化改造
business 中小微企业融资难 信用信息归集不全 完善融资信用服务平台 发挥政府性担保作用
business 惠企政策兑现慢 申报材料多、部门协同不足 推行免申即享 建立兑现进度公示制度
business 个体工商户注销程序繁琐 部门信息不同步 推行简易注销一窗办理 实现数据共享免提交
environment 农村生活污水治理滞后 重建设轻运维 分类选择治理模式 建立第三方运维机制
environment 黄河支流水土流失治理任务重 治理资金标准偏低 提高淤地坝除险加固补助 探索生态产品价值实现
environment 废旧动力电池回收体系不健全 回收网点少、责任不清 建立区域回收中心 落实生产者责任延伸
city_management 城市内涝防治能力不足 部分管网标准偏低 实施易涝点改造 建立汛期联动调度
city_management 公共停车资源利用率低 停车数据分散 建设城市停车一张图 推动机关车位错时开放
city_management 建筑垃圾消纳场所不足 资源化利用企业少 规划建设消纳场 推广再生建材应用
culture_tourism 陕北民歌传承人才断档 青年传承人缺乏保障 推动民歌进校园 设立传承人工作室
culture_tourism 长城沿线文物保护力量薄弱 野外文物点多面广 聘用专兼职文保员 运用无人机巡查
culture_tourism 红色旅游线路衔接不畅 景区之间交通不便 开通旅游直通车 统一设计精品线路
rule_of_law 物业纠纷诉前调解作用不明显 专业调解员不足 建立行业性调解组织 推行司法确认绿色通道
rule_of_law 乡村法律顾问服务流于形式 经费和考核机制不健全 实行服务清单管理 将经费纳入财政保障
"""
MATTERS: Final = tuple(Matter(*line.split()) for line in _MATTERS.strip().splitlines())

TITLES: Final = ("关于解决{place}{problem}问题的建议", "{place}{problem}问题亟待重视", "建议重视{place}{problem}问题")
RAW: Final = (
    "近期走访{place}{villages}个村（社区），与{people}名群众和基层干部座谈，大家普遍反映当地{problem}，影响群众获得感。"
    "究其原因，主要是{cause}。建议{first}，{second}。"
)
REVISED: Final = (
    "补充调查情况：在{place}抽样了解{people}户，其中多数认为{problem}的情况近两年没有明显好转。"
    "主要原因：{cause}。建议：一是{first}；二是{second}。"
)
EDITED: Final = (
    "一、情况。据对{place}{villages}个村（社区）的调研，当地{problem}，受访的{people}人中反映较为集中。\n"
    "二、原因。{cause}。\n"
    "三、建议。一是{first}。二是{second}。三是明确责任单位和完成时限，定期通报进展。"
)

# ---------------------------------------------------------------------------------------------------------------
# Grounds and remarks

RETURNS: Final = (
    "情况部分缺少具体数据，请补充后再报。",
    "建议过于笼统，请明确责任部门和可行措施。",
    "一事一报：请只保留其中一个问题。",
)
KEEPS: Final = ("所提问题已列入有关部门年度计划，留存备用。", "近期已编发同类信息，留存。", "情况尚待核实，留存跟踪。")
WITHDRAWALS: Final = ("反映的问题已经解决，申请撤回。", "拟补充调研后重新提交，申请撤回。")
#: (code, reason)
REJECTIONS: Final = (
    ("routine_news", "属一般工作动态，不是社情民意信息。"),
    ("already_published", "内容已公开发表。"),
    ("personal_matter", "属个人具体诉求，请通过信访渠道反映。"),
    ("no_suggestion", "只有问题，没有建议。"),
    ("in_litigation", "涉及正在审理的案件。"),
)
COMMENTS: Final = (
    "数据来源请注明。",
    "可与主管部门核对最新口径。",
    "题目可再精炼。",
    "建议请反映人补充一个典型案例。",
    "与上季度选题参考相符，优先编辑。",
)
MEASURES: Final = ("列入年度工作要点：{first}", "纳入下年度计划：{second}", "采纳建议：{first}")
