"""How a judgement is printed."""

import json

import pytest

from forwarder_tools.records import Published
from forwarder_tools.validate.judgement import Judgement, Problem, Warned, judge
from forwarder_tools.validate.views import Tally, json_of, lines_of
from tests.unit.strategies import FULL, SENT_AT
from tests.unit.tools.validate.support import SETTINGS

WRONG = Judgement(
    None, None, problems=(Problem("data.a", "is wrong", "mend it"), Problem("body", "is odd", "look"))
)
VALID = judge(json.dumps(FULL), now=SENT_AT, settings=SETTINGS)
ODD = VALID._replace(warnings=(Warned("a_name", "means this", "do that"),))
ALONE = Published(3, "{}")
IN_RECORDS = Published(1, "{}", {}, 2)


@pytest.mark.parametrize(
    ("published", "judgement", "lines"),
    [
        (ALONE, WRONG, ["a.jsonl:3: data.a: is wrong; mend it", "a.jsonl:3: body: is odd; look"]),
        (ALONE, ODD, ["a.jsonl:3: warning: a_name: means this; do that"]),
        (ALONE, VALID, []),
        (
            IN_RECORDS,
            WRONG,
            ["a.jsonl:1: Records[2].data.a: is wrong; mend it", "a.jsonl:1: Records[2].body: is odd; look"],
        ),
        (Published(1, "{}", {}, 0), ODD, ["a.jsonl:1: warning: Records[0]: a_name: means this; do that"]),
        (IN_RECORDS, ODD, ["a.jsonl:1: warning: Records[2]: a_name: means this; do that"]),
    ],
)
def test_each_problem_and_warning_is_a_line(published: Published, judgement: Judgement, lines: list[str]) -> None:
    assert list(lines_of("a.jsonl", published, judgement)) == lines


def test_for_programs_an_event_is_an_object() -> None:
    assert json.loads(json_of("é.jsonl", ALONE, ODD)) == {
        "file": "é.jsonl",
        "line": 3,
        "record": None,
        "event_id": "order-1",
        "valid": True,
        "problems": [],
        "warnings": [{"name": "a_name", "meaning": "means this", "remedy": "do that"}],
    }
    wrong = json.loads(json_of("a.jsonl", IN_RECORDS, WRONG))
    assert (wrong["record"], wrong["event_id"], wrong["valid"]) == (2, None, False)
    assert wrong["problems"][0] == {"path": "data.a", "problem": "is wrong", "remedy": "mend it"}


@pytest.mark.parametrize(
    ("judgements", "said"),
    [
        ([], "0 events: 0 valid, 0 with warnings, 0 invalid"),
        ([ODD], "1 event: 1 valid, 1 with warnings, 0 invalid"),
        ([ODD._replace(warnings=ODD.warnings * 2)], "1 event: 1 valid, 1 with warnings, 0 invalid"),
        ([VALID, WRONG, ODD], "3 events: 2 valid, 1 with warnings, 1 invalid"),
    ],
)
def test_the_summary_counts_events(judgements: list[Judgement], said: str) -> None:
    tally = Tally()
    for judgement in judgements:
        tally.add(judgement)
    assert str(tally) == said
