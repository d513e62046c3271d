"""The page on standards says what the tables hold."""

import re
from pathlib import Path

from census.taxonomy import STANDARDS, read_taxonomy
from gis.codes import read_rules, read_table
from gis.workspace import parse_profile

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "standards.md").read_text(encoding="utf-8")


def test_counts_of_the_page_are_those_of_the_tables():
    for standard in STANDARDS:
        for kind in ("component", "event"):
            entries = read_taxonomy(standard).all(kind)
            counts = [
                sum(e.evidence == "found" for e in entries),
                sum(e.evidence == "derived" for e in entries),
                sum(e.is_doubtful for e in entries),
                sum(e.evidence == "unknown" for e in entries),
            ]
            assert f"| {standard} | {kind} | {' | '.join(map(str, counts))} |" in PAGE


def test_the_page_names_every_file_and_every_relation():
    root = Path(__file__).resolve().parents[2]
    for path in (root / "census" / "codes").glob("*.csv"):
        assert f"`census/codes/{path.name}`" in PAGE
    for row in read_table("census.codes", "crosswalks.csv"):
        assert f"| `{row['relation']}` |" in PAGE


def test_the_page_names_exactly_the_rules_that_refuse():
    refused = {code for code, rule in read_rules("census").items() if rule.severity == "error"}
    section = PAGE.split("## Unverified means a warning")[1].split("All else")[0]
    assert set(re.findall(r"C\d{3}", section)) == refused


def test_the_profiles_of_the_page_are_valid():
    blocks = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    assert blocks
    for block in blocks:
        text = block if "[city]" in block else f'[city]\ncode = "130102"\n{block}'
        profile = parse_profile(text)
        taxonomy = read_taxonomy(profile.city.standard, profile.extension_class)
        extensions = profile.extension_class
        assert all(taxonomy.exists(one.kind, one.code) for one in extensions)


def test_lengths_of_the_page_are_those_of_the_profile():
    for standard in STANDARDS:
        profile = parse_profile(f'[city]\ncode = "130102"\nstandard = "{standard}"\n')
        line = next(
            row
            for row in PAGE.splitlines()
            if row.startswith(f"| {standard} | {profile.component_code_length} digits")
        )
        assert f"| {profile.grid_code_length} digits |" in line
