"""The catalogue of rules is whole, and every rule of it is planted somewhere in the tests."""

import re
from pathlib import Path
from string import Formatter

import pytest

from census.catalogue import census_rules
from gis.codes import read_rules, read_table
from gis.errors import SettingsError

RULES = read_rules("census")
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_speaks_both_languages_and_names_the_fix(rule):
    assert re.fullmatch(r"C\d{3}", rule.code)
    assert rule.reason_en.endswith((".", "?"))
    assert rule.reason_zh.endswith(("。", "？"))
    assert rule.fix_en.endswith(".")
    assert rule.fix_zh.endswith("。")
    en, zh = ({name.removesuffix("_zh") for _, name, _, _ in Formatter().parse(text) if name}
              for text in (rule.reason_en, rule.reason_zh))  # fmt: skip
    assert en == zh


def read_all(*folders):
    """The text of all Python files below."""
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


@pytest.fixture(scope="module")
def sources():
    return read_all("census", "pipelines")


@pytest.fixture(scope="module")
def tests():
    return read_all("tests/census", "tests/pipelines")


@pytest.mark.parametrize("code", RULES)
def test_a_rule_is_used_and_tested(code, sources, tests):
    assert f'"{code}"' in sources
    assert f'"{code}"' in tests


def test_a_code_stands_in_one_file_only_and_says_why():
    files = sorted((ROOT / "census" / "rules").glob("*.csv"))
    codes = [row["code"] for path in files for row in read_table("census.rules", path.name)]
    assert sorted(set(codes)) == sorted(codes) == sorted(RULES)
    for rule in RULES.values():
        assert rule.severity in ("error", "warning")
        assert rule.subject, rule.code
        assert rule.why_en.endswith("."), rule.code
        assert rule.why_zh.endswith("。"), rule.code


def test_a_city_makes_rules_stricter_or_switches_them_off():
    rules = census_rules({"C046": "off", "C021": "error"})
    assert (rules["C046"].severity, rules["C021"].severity) == ("off", "error")
    assert {code: rule for code, rule in rules.items() if code not in ("C046", "C021")} == {
        code: rule for code, rule in RULES.items() if code not in ("C046", "C021")
    }


@pytest.mark.parametrize(
    ("severity", "told"),
    [
        ({"C999": "off"}, r"'C999', which is no rule"),
        ({"c021": "error"}, r"did you mean C021\?"),
        ({"G009": "off"}, "is no rule"),
        ({"C012": "warning"}, "can not be stored"),
        ({"C001": "off"}, "can not be stored"),
    ],
)
def test_a_severity_that_can_not_be_is_one_clear_error(severity, told):
    with pytest.raises(SettingsError, match=told):
        census_rules(severity)
