"""The catalogue of rules is whole, and every rule of it is planted somewhere in the tests."""

import re
from pathlib import Path
from string import Formatter

import pytest

from gis.codes import read_rules

RULES = read_rules("census")
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_speaks_both_languages_and_names_the_fix(rule):
    assert re.fullmatch(r"C\d{3}", rule.code)
    assert rule.reason_en.endswith(".")
    assert rule.reason_zh.endswith("。")
    assert rule.fix_en.endswith(".")
    assert rule.fix_zh.endswith("。")
    en, zh = ({name.removesuffix("_zh") for _, name, _, _ in Formatter().parse(text) if name}
              for text in (rule.reason_en, rule.reason_zh))  # fmt: skip
    assert en == zh


@pytest.mark.parametrize("code", RULES)
def test_a_rule_is_used_and_tested(code):
    sources = [*(ROOT / "census").glob("*.py"), ROOT / "pipelines" / "components.py"]
    assert any(f'"{code}"' in path.read_text(encoding="utf-8") for path in sources)
    tests = (ROOT / "tests" / "pipelines" / "test_components.py").read_text(encoding="utf-8")
    assert f'"{code}"' in tests
