import pytest

from gis.classification import (
    TOPOGRAPHY_THEMES,
    area_type,
    label,
    place_name_categories,
    standards,
    topography_classes,
)
from gis.codes import read_table
from gis.tables import declare
from gis.workspace import City

EVIDENCE = {"found", "derived", "recalled", "unknown", "local"}


def test_the_table_agrees_with_the_rule_and_with_the_database():
    for row in read_table("gis.codes", "topography_classes.csv"):
        assert row["theme"] == TOPOGRAPHY_THEMES[row["code"][0]]
        assert len(row["code"]) in {1, 6}
    comment = declare(4547).tables["topography.feature"].c.theme.comment
    assert comment.split(", ") == list(TOPOGRAPHY_THEMES.values())


@pytest.mark.parametrize("table", [topography_classes(), place_name_categories()])
def test_parents_exist_and_lie_above(table):
    assert list(table) == sorted(table)
    for entry in table.values():
        assert entry.evidence in EVIDENCE
        if entry.parent:
            above = table[entry.parent]
            assert entry.code.startswith(above.code.rstrip("0"))
            assert len(entry.code.rstrip("0")) > len(above.code.rstrip("0"))
        else:
            assert len(entry.code) == 1


def test_codes_are_listed_once():
    for name, key in (
        ("topography_classes.csv", "code"),
        ("place_name_categories.csv", "code"),
        ("standards.csv", "standard_ref"),
    ):
        keys = [row[key] for row in read_table("gis.codes", name)]
        assert len(set(keys)) == len(keys)


def test_labels_fall_back_to_the_class_above():
    assert label("430501") == "主干路"
    assert label("430599") == "街道"
    assert label("438888") == "城市道路"
    assert label("488888") == "交通"
    assert label("999999") == "999999"


def test_standards_know_their_successors():
    known = standards()
    for entry in known.values():
        assert entry.superseded_by == "" or entry.superseded_by in known
        assert entry.evidence in EVIDENCE
    assert known["GB/T 47678.5-2026"].effective == "2026-07-01"


def test_the_profile_takes_the_standards_of_components():
    refs = {ref for ref, entry in standards().items() if entry.subject == "components"}
    choices = City.__annotations__["standard"].__args__
    assert refs == set(choices)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("130102001", "街道"),
        ("130102100", "镇"),
        ("130102399", "乡"),
        ("130102400", "政企合一单位"),
        ("130102001001", "居民委员会"),
        ("130102001200", "村民委员会"),
        ("130102001601", None),
        ("130102", None),
    ],
)
def test_last_digits_say_what_kind_of_area(code, kind):
    assert area_type(code) == kind
