"""What an insider looks at in the year: lengths, titles, sentences, places, authors, sources, leaders, the calendar."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportflow import DirectoryFiles, Query, open_flow
from reportflow.demo import people, plan, vocabulary, year
from reportflow.demo.texts import full_texts, matters
from reportflow.office.figures import LIVELIHOOD

SEEDS = st.sampled_from([1, 5, plan.SEED, 77, -9])
LONG = range(800, 1501)


@cache
def acts(seed: int) -> list[year.DemoAct]:
    """The year of a seed."""
    return year.acts(seed)


def last_edits(seed: int) -> dict[int, year.DemoAct]:
    """The last edit of each report."""
    return {act.number: act for act in acts(seed) if act.trigger == "edit"}


def issued(seed: int) -> list[year.DemoAct]:
    """The last edits of what the serial issued."""
    edits = last_edits(seed)
    return [edits[report.number] for report in plan.plan_year(seed) if report.end in plan.ISSUED]


def sentences(text: str) -> set[str]:
    """The sentences of a text, without those of a few characters, and without who signed."""
    return {one for one in re.split("[。；\n]", text) if len(one) > 8 and not one.startswith("（反映")}


def form(title: str) -> str:
    """The form of a title."""
    forms = {
        "关于…的建议": r"^关于.+建议$", "…的建议": r"建议$", "两句": r"　", "应…": "应", "亟待…": "亟待|刻不容缓|不宜",
        "问题": "问题|难题|困境", "动宾": r"^(补齐|破解|做强|扩大|推动|推进|健全|完善|优化|稳定|提升|加快|引导|增设)",
    }  # fmt: skip
    return next((name for name, pattern in forms.items() if re.search(pattern, title)), "其他")


@pytest.mark.parametrize("seed", [1, plan.SEED])
def test_at_least_thirty_issued_texts_are_as_long_as_those_of_a_bulletin(seed: int) -> None:
    """Thirty and more issued texts have 800 to 1,500 characters, and one suggestion for each problem."""
    long = [act.details.text for act in issued(seed) if len(act.details.text) in LONG]

    assert 30 <= len(long) <= 40
    for text in long:
        problems, advice = text.split("主要问题：")[1].split("建议：", 1)
        for part in (problems, advice):
            assert {"一是", "二是", "三是"} <= set(re.findall("[一二三四]是", part))
        assert ("四是" in problems) is ("四是" in advice)
        assert re.search(r"\d", text)
        assert re.search("（反映(人|单位)：.+）", text)
        assert "我市" in text or "全市" in text


def test_every_written_text_says_a_number_its_source_and_who_should_act() -> None:
    """Each text that is written out has numbers in each problem, names departments, and is edited throughout."""
    for text in full_texts():
        raw, edited = text.text
        assert len(re.findall(r"\d[\d.]*", edited)) >= 12, text.name
        assert re.search(
            "统计|调查|调研|观测|测算|走访|检查|摸底|问卷|监测|抽样|数据|复核|资料|登记|回访|访谈",
            edited.split("\n")[0],
        ), text.name
        assert re.search("由(市|县|各|街道|社区)", edited), text.name
        assert len(raw) < len(edited)
        kept, new = (set(re.split("[，。；\n]", one)) for one in text.text)
        assert len(kept & new) >= 7, text.name  # an editor keeps what is good
        assert len(new - kept) >= 20, text.name
        assert text.title[0] != text.title[1]


@settings(max_examples=4)
@given(SEEDS)
def test_no_sentence_stands_in_more_than_three_issued_texts(seed: int) -> None:
    """The 87 issued texts are not made of one another's sentences."""
    counts = Counter(one for act in issued(seed) for one in sentences(act.details.text))

    assert max(counts.values()) <= 3
    assert len(issued(seed)) == 87


@settings(max_examples=4)
@given(SEEDS)
def test_titles_have_many_forms(seed: int) -> None:
    """Issued titles have at least six forms, none of them more than half, and no two are equal."""
    titles = [act.details.title for act in issued(seed)]
    forms = Counter(form(title) for title in titles)

    assert len(forms) >= 6
    assert max(forms.values()) <= len(titles) // 2
    assert len(set(titles)) == len(titles)


@settings(max_examples=4)
@given(SEEDS)
def test_places_and_authors_fit_the_matter(seed: int) -> None:
    """A matter is written about where it is found, by who knows it: counties write of home, members of their field."""
    for report in plan.plan_year(seed):
        one = report.contributor
        if report.matter is None:
            assert report.text is not None
            continue
        assert report.place in report.matter.places
        assert report.place in one.places or not one.places
        assert report.topic in one.topics or not one.topics
        if report.matter.months:
            months = {plan.DAYS[day].month for day in range(max(0, report.day - 1), report.day + 2)}
            assert months & report.matter.months
    by_name = {one.author.name: one for one in people.CONTRIBUTORS.values()}
    for text in full_texts():
        first = by_name[text.authors[0]]
        assert text.topic in first.topics or not first.topics, text.name


def test_sources_are_those_of_a_city() -> None:
    """The reports come from members, parties, counties, committees and so on, as a circular lists them."""
    counts = {source.value: many for source, (many, _) in people.SOURCES.items()}

    assert counts == {
        "member": 110, "party": 92, "county_committee": 96, "special_committee": 38, "special_contributor": 40,
        "member_studio": 34, "contact_point": 18, "direct_report_point": 10, "sector_group": 8,
    }  # fmt: skip
    assert all(one.author.unit for one in people.CONTRIBUTORS.values())
    assert all(one.actor.post for one in people.CONTRIBUTORS.values())


@settings(max_examples=4)
@given(SEEDS)
def test_leaders_have_posts_and_no_names(seed: int) -> None:
    """Who instructs is named by the post, and addresses one department or the city."""
    instructions = [act.details for act in acts(seed) if act.trigger == "instruct"]

    assert len(instructions) == 4
    for one in instructions:
        assert re.fullmatch("(市|省)(委|政府)(主要|分管|有关)领导", one.leader)
        assert "请市" in one.text or one.text == "请朔川市研处。"
        assert not re.search("请有关部门|请牵头部门", one.text)
    assert sum(one.principal for one in instructions) == 1


@settings(max_examples=4)
@given(SEEDS)
def test_the_year_has_the_seasons_of_an_office(seed: int) -> None:
    """Little comes in round the Spring Festival, much in June and in November; 2022 has its epidemic."""
    created = [act for act in acts(seed) if act.trigger == "create"]
    months = Counter(act.at.month for act in created)
    spring = sum(act.at.timetuple().tm_yday in range(24, 43) for act in created)

    assert spring <= 8
    assert min(months[6], months[11]) > 1.4 * sum(months.values()) / 12
    texts = "".join(act.details.text for act in created)
    assert texts.count("疫情") >= 8
    assert "双碳" in texts or "碳达峰" in texts


@settings(max_examples=4)
@given(SEEDS)
def test_facts_come_in_through_the_year(seed: int) -> None:
    """Uptakes are spread to December, two are of the next January; 24 fall in the year; each says what was done."""
    uptakes = [act for act in acts(seed) if act.trigger == "absorb"]

    assert len(uptakes) == plan.ABSORBED
    assert sum(act.at.year == plan.YEAR + 1 for act in uptakes) == plan.LATE
    assert {act.at.month for act in uptakes if act.at.year == plan.YEAR} >= {6, 10, 11, 12}
    assert len({act.details.measure for act in uptakes}) == len(uptakes)


@settings(max_examples=4)
@given(SEEDS)
def test_papers_are_sent_out_by_the_registrar_after_review(seed: int) -> None:
    """Only the registrar sends out and records, and never before the review."""
    reviewed: set[int] = set()
    for act in acts(seed):
        if act.trigger == "review":
            reviewed.add(act.number)
        if act.trigger in ("forward", "adopt", "instruct", "absorb", "reply", "retract"):
            assert act.by == people.REGISTRAR
            assert act.number in reviewed


@settings(max_examples=4)
@given(SEEDS)
def test_merged_reports_are_of_one_matter_and_are_named_in_the_issue(seed: int) -> None:
    """What is merged is of the target's matter and came before its edit, and its title stands under the issued text."""
    reports = {report.number: report for report in plan.plan_year(seed)}
    titles = {act.number: act.details.title for act in acts(seed) if act.trigger == "create"}
    edits = last_edits(seed)
    targets = defaultdict(list)
    for act in acts(seed):
        if act.trigger == "merge":
            assert act.into is not None
            targets[act.into].append(act)
    assert sum(map(len, targets.values())) == plan.ENDS["merged"]
    assert len(targets) >= 12
    for number, merges in targets.items():
        text = reports[number].text
        assert text is not None
        for act in merges:
            matter = reports[act.number].matter
            assert matter is not None
            assert matter.name == text.matter
            assert act.at < edits[number].at
            assert f"《{titles[act.number]}》" in edits[number].details.text


@settings(max_examples=4)
@given(SEEDS)
def test_the_rarer_acts_are_there(seed: int) -> None:
    """Joint authors, attachments, replies, a refusing department, a retraction, comments that fit, combined issues."""
    found = acts(seed)
    kinds = Counter(act.trigger for act in found)

    assert sum(len(act.details.authors) > 1 for act in found if act.trigger == "create") >= 15
    assert sum(len(act.files) for act in found) >= 18
    assert kinds["reply"] >= 30
    assert kinds["retract"] == 1
    assert kinds["supplement"] == plan.SUPPLEMENTED
    assert sum("申请退回" in act.details.text for act in found if act.trigger == "reply") == 3
    combined = [act for act in found if act.trigger == "adopt" and act.details.usage == "combined"]
    assert len(combined) >= 15
    comments = [act.details.text for act in found if act.trigger == "comment"]
    assert len(set(comments)) > len(comments) // 2


@settings(max_examples=4)
@given(SEEDS)
def test_nothing_is_left_to_be_filled_in(seed: int) -> None:
    """No text, title, reason or remark holds a mark of its pattern, or a doubled full stop."""
    for act in acts(seed):
        words = f"{act.details} {act.reason}" if act.details is not None else act.reason
        assert not re.search(
            r"[<>]\d|\d+-\d+>|\{|\}|。。|；。|，，|建议建议|：建议：|我市我市", re.sub(r"<\w+\.\w+: '\w+'>", "", words)
        ), words


def test_no_real_place_is_meant() -> None:
    """No name of the real city or its counties is left."""
    real = re.compile("榆林|榆阳|横山|神木|府谷|靖边|定边|绥德|米脂|佳县|吴堡|清涧|子洲|陕西|陕北")
    words = str(full_texts()) + str(matters()) + str(people.CONTRIBUTORS) + str(vars(vocabulary))

    assert not real.search(words)
    assert set(vocabulary.NOTE) == {"en", "zh"}


def test_matters_are_complete() -> None:
    """Each matter has two findings, three problems with a suggestion each, and two edited titles."""
    for one in matters():
        assert (len(one.facts), len(one.problems), len(one.advice), len(one.edited)) == (2, 3, 3, 2), one.name
        assert len(one.titles) >= 2
        assert all("{p}" in title for title in one.titles)
        assert one.topic in vocabulary.CATEGORIES
    assert len({one.name for one in matters()}) == len(matters())
    assert vocabulary.CATEGORIES.keys() > LIVELIHOOD


def test_people_who_may_sign_in_hold_all_roles() -> None:
    """The people of the log-in are about ten, with posts, and among them is each role of a report's way."""
    assert len(people.PEOPLE) == 11
    assert len({one.id for one in people.PEOPLE}) == 11
    assert all(one.post and one.unit == vocabulary.UNIT for one in people.PEOPLE)
    assert {role for one in people.PEOPLE for role in one.roles} == {
        "contributor", "editor", "reviewer", "registrar", "auditor",
    }  # fmt: skip
    creators = {act.by.id for act in acts(plan.SEED) if act.trigger == "create"}
    assert {one.id for one in people.PEOPLE if "contributor" in one.roles} <= creators


def test_files_are_kept_where_a_flow_has_a_place_for_them(tmp_path: Path) -> None:
    """A flow with files keeps the contents of what is attached; each can be downloaded and has its digest."""
    first = [act for act in acts(plan.SEED) if act.number == next(a.number for a in acts(plan.SEED) if a.files)]
    with open_flow("memory:", files=DirectoryFiles(tmp_path)) as flow:
        for _ in year.play(flow, first[:1]):
            pass
        by = first[0].by
        (record,) = flow.find(Query(kind="report"), by=by)
        (file,) = record.attachments  # type: ignore[attr-defined]
        with flow.download(record.id, file, by=by) as opened:
            assert sha256(opened.read()).hexdigest() == file.sha256
