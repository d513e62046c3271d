from pathlib import Path

from gis.dictionary import dictionary_text
from gis.tables import declare

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "data-dictionary.md"


def test_the_document_is_what_the_declarations_say() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == dictionary_text(), (
        "run `wanmi db dictionary -o docs/data-dictionary.md`"
    )


def test_every_table_and_column_is_explained() -> None:
    text = dictionary_text()
    for table in declare(0).tables.values():
        assert f"### `{table.fullname}`" in text
        for column in table.columns:
            assert f"| `{column.name}` |" in text
            assert column.comment, f"{table.fullname}.{column.name} has no meaning"


def test_units_are_said_where_there_are_any() -> None:
    text = dictionary_text()
    assert "| `gsd_m` | double precision | no | ground sample distance, m |" in text
    assert "| `geom` | geometry (multipolygon) | no | extent |" in text
    assert (
        "| `build_id` | bigint | no | build that wrote this version → `meta.build.build_id` |"
        in text
    )
