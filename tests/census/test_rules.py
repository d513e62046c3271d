"""The catalogue of rules is whole, and every rule of it is planted somewhere in the tests."""

import json
import re
from functools import partial
from pathlib import Path
from string import Formatter

import pytest
from typer.testing import CliRunner

import wanmi
from census import rulebook
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


def test_the_page_of_rules_is_up_to_date():
    page = (ROOT / "docs" / "census" / "rules.md").read_text(encoding="utf-8")
    assert rulebook.refresh(page) == page, "python -m census.rulebook docs/census/rules.md"
    files = {path.stem for path in (ROOT / "census" / "rules").glob("*.csv")}
    assert {line.split()[2] for line in page.splitlines() if line.startswith("<!-- rules")} == files


def test_the_command_explains_a_rule_as_the_city_has_it(tmp_path, monkeypatch):
    (tmp_path / "wanmi.toml").write_text(
        '[city]\ncode = "130102"\n[census]\nseverity = { C046 = "off" }\n', encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    run = partial(CliRunner().invoke, wanmi.app)
    [severity] = {rule["severity"] for rule in json.loads(run(["census", "rules", "--json"]).stdout)
                  if rule["code"] == "C046"}  # fmt: skip
    assert severity == "off"
    shown = run(["census", "rules", "c012"]).stdout
    assert shown.startswith("C012  error, always  code\n")
    assert RULES["C012"].why_zh in shown
    listed = run(["census", "rules", "--subject", "density"]).stdout
    assert [line[:4] for line in listed.splitlines()] == ["C093", "C094"]
    for words in (["C999"], ["--subject", "weather"]):
        result = run(["census", "rules", *words])
        assert result.exit_code == 1
