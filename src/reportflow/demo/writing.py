"""The words of the demonstration's reports: what is handed in, what the editor makes of it, and what is attached.

A text that is written out is taken as it is; the others are composed of their matter's parts, each with its numbers.
"""

from __future__ import annotations

from hashlib import sha256
from random import Random
from typing import Any, Final

from reportflow.demo import vocabulary
from reportflow.demo.plan import ReportPlan
from reportflow.model.attachment import Attachment

#: Of what a file that is attached consists, where its report is composed.
_FILES: Final = ("走访记录.csv", "问卷汇总.csv", "现场情况登记表.csv", "座谈会意见汇总.csv")


class DemoWords:
    """The words of one report; the same for the same report and seed.

    Attributes:
        title: As it is handed in.
        raw: The text as it is handed in.
        facts: What remarks about it are made of: its place, the department, a problem, a suggestion.
    """

    def __init__(self, report: ReportPlan, rng: Random) -> None:
        self._report = report
        self._rng = rng
        if report.text is not None:
            self.title: str = report.text.title[0]
            self.raw: str = report.text.text[0]
            to = next((value[0] for key, value in report.text.events if key == "refer"), "有关部门")
            self.facts: dict[str, Any] = {
                "place": "反映人", "department": to, "problem": "主要问题", "advice": "建议", "topic": report.text.name,
            }  # fmt: skip
            return
        assert report.matter is not None
        matter = report.matter.at(report.place, rng)
        facts = list(matter.facts)
        rng.shuffle(facts)
        order = rng.sample(range(3), 3)
        self.title = matter.titles[report.turn]
        self._edited = matter.edited
        self.facts = {
            "place": report.place,
            "department": matter.department,
            "topic": matter.name,
            "facts": facts[0],
            "more": facts[1],
            "problem": rng.choice(matter.problems).split("，")[0],
            "advice": rng.choice(matter.advice).split("，")[0],
            "wish": matter.wish,
            "wanted": matter.wish.removeprefix("建议").removeprefix("希望"),
        }
        self._problems = [matter.problems[one] for one in order]
        self._advice = [matter.advice[one] for one in order]
        written = {**self.facts, "problems": "；".join(self._problems[: rng.choice((2, 2, 3))])}
        self.raw = rng.choice(vocabulary.RAW).format_map(written)
        if report.end in ("kept", "rejected") and "returned" not in report.marks and rng.random() < 0.6:
            self.raw = f"{self.raw}另外，{facts[1]}。"

    def remark(self, text: str) -> str:
        """A remark about it, its names filled in."""
        return text.format_map(self.facts)

    def revised(self) -> str:
        """The text once more, after it was returned to its contributor."""
        text = self._rng.choice(vocabulary.REVISED)
        return text.format_map({**self.facts, "raw": self.raw, "advice": self._advice})

    def edited(self, turn: int, sources: list[str]) -> tuple[str, str]:
        """The editor's title and text.

        Args:
            turn: How often its matter was issued before.
            sources: The titles of the reports that were merged into it.
        """
        report = self._report
        if report.text is not None:
            title, text = report.text.title[1], report.text.text[1]
        else:
            named = {
                **self.facts,
                "facts": self._of_the_city(self.facts["facts"]),
                "more": self._of_the_same(self.facts["more"]),
                "author": report.authors[0].author.unit + report.authors[0].author.name
                if report.contributor.actor.name == report.authors[0].author.name
                else report.authors[0].author.name,
                "problem": self._problems,
                "advice": self._advice,
            }
            title = self._edited[turn % len(self._edited)]
            text = vocabulary.EDITED.format_map(named)
        signed = "、".join(self._signature(one.author.unit, one.author.name) for one in report.authors)
        persons = any(one.author.name == one.actor.name for one in report.authors)
        text = f"{text}\n（{'反映人' if persons else '反映单位'}：{signed}）"
        if sources:
            text = f"{text}\n（综合来稿：{'；'.join(f'《{one}》' for one in sources)}）"
        return title, text

    def _of_the_city(self, facts: str) -> str:
        """The city's serial speaks of our city's county."""
        place = self._report.place
        return facts.replace(place, f"我市{place}", 1) if place in facts else f"我市{place}{facts}"

    def _of_the_same(self, facts: str) -> str:
        """A county that was named is 该县 thereafter."""
        place = self._report.place
        return facts.replace(place, "当地" if place == "中心城区" else f"该{place[-1]}")

    @staticmethod
    def _signature(unit: str, name: str) -> str:
        return f"{unit}　{name}" if "、" in unit else name

    def attachment(self, name: str = "") -> tuple[Attachment, bytes]:
        """A file that belongs to it, and its content: a small table."""
        name = name or self._rng.choice(_FILES)
        rows = "".join(f"{row},{self._rng.randint(12, 480)}\n" for row in range(1, self._rng.randint(20, 60)))
        content = f"\ufeff序号,数量\n{rows}".encode()
        made = Attachment(name=name, media_type="text/csv", size=len(content), sha256=sha256(content).hexdigest())
        return made, content
