"""The page on deliveries is what the program takes."""

import re
import tomllib
from pathlib import Path, PurePosixPath

import pytest

from census.survey import known_words, read_dates
from gis.codes import read_table
from pipelines.delivery import DATASETS, LAYER_KEYS
from pipelines.manifest import OPTIONS, parse_manifest
from pipelines.spellings import refresh, spelling_table

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "deliveries.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)


def test_the_tables_of_spellings_are_those_of_the_data():
    assert refresh(PAGE) == PAGE, "run: python -m pipelines.spellings docs/deliveries.md"


def test_every_dataset_has_its_section_and_its_spellings():
    for dataset in DATASETS:
        section = PAGE.split(f"\n## {dataset} ")[1].split("\n## ")[0]
        assert f'dataset = "{dataset}"' in section
        if dataset != "imagery":  # its rows come from the layer's options
            assert spelling_table(dataset) in section


def test_a_marker_of_no_dataset_is_refused():
    with pytest.raises(ValueError, match="no dataset"):
        refresh("<!-- spellings nothing -->\n<!-- end -->")


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_are_manifests(example, tmp_path):
    table = tomllib.loads(example)
    table.setdefault("delivery", {"name": "example", "as_of": "2026-05-31"})
    for entry in table["layer"]:
        path = PurePosixPath(entry["path"].replace("*", "a"))
        file = tmp_path / (path if path.suffix else path / "a.shp")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    delivery = parse_manifest(table, root=tmp_path)
    assert len(delivery.layers) == len(table["layer"])


def test_every_key_and_option_is_explained():
    for key in LAYER_KEYS:
        assert f"`{key}`" in PAGE or f"`[layer.{key}]`" in PAGE
    own = {"topography": "topography.md", "place_names": "place-names.md"}
    for dataset, options in OPTIONS.items():
        page = (DOCS / own.get(dataset, "deliveries.md")).read_text(encoding="utf-8")
        for option in options:
            assert f"`{option}`" in page or f"{option} = " in page, (dataset, option)


def test_the_dates_and_words_of_the_page_are_read():
    import pandas as pd

    shown = ["20260531", "2026-05-31", "2026/5/31", "2026年5月31日"]
    assert all(f"`{text}`" in PAGE for text in shown)
    assert read_dates(pd.Series(shown)).notna().all()
    conditions = next(line for line in PAGE.splitlines() if "完好" in line).split("|")[1].split()
    assert set(conditions) <= set(known_words("condition"))


def test_aliases_name_columns_once():
    rows = [
        (row["dataset"], row["alias"].casefold())
        for row in read_table("gis.codes", "field_aliases.csv")
    ]
    assert len(set(rows)) == len(rows)
