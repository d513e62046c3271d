from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

from census.survey import CODE_COLUMNS, DATE_COLUMNS, TEXT_COLUMNS, read_dates, read_words, tidy


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("20240501", date(2024, 5, 1)),
        ("2024-05-01", date(2024, 5, 1)),
        ("2024/5/1", date(2024, 5, 1)),
        ("2024.5.1", date(2024, 5, 1)),
        ("2024年5月1日", date(2024, 5, 1)),
        ("２０２４-05-01", date(2024, 5, 1)),
        ("2024-05-01 08:30:00", date(2024, 5, 1)),
        ("20240501083000", date(2024, 5, 1)),
        ("45413", date(2024, 5, 1)),  # days since 1899-12-30
        ("45413.0", date(2024, 5, 1)),
        (45413, date(2024, 5, 1)),
        (20240501.0, date(2024, 5, 1)),
        (datetime(2024, 5, 1, 8), date(2024, 5, 1)),  # noqa: DTZ001 (a workbook's cell)
        (date(2024, 5, 1), date(2024, 5, 1)),
        ("20240230", None),
        ("240501", None),
        ("明天", None),
        ("", None),
        (None, None),
        (np.nan, None),
    ],
)
def test_dates_are_read_in_the_ways_they_are_written(given, expected):
    assert read_dates(pd.Series([given], dtype=object)).tolist() == [expected]


def test_a_date_column_of_a_shapefile_is_read():
    column = pd.Series(pd.to_datetime(["2024-05-01", None]))
    assert read_dates(column).tolist() == [date(2024, 5, 1), None]


def test_words_of_condition():
    given = pd.Series(
        ["完好", "破损", "丢失", "废弃", "移除", "占用", "正常", "Damaged", "?", None]
    )
    assert read_words(given, subject="condition").tolist() == [
        "intact", "damaged", "lost", "abandoned", "removed", "occupied", "intact", "damaged", None, None,
    ]  # fmt: skip


def test_tidy_has_every_column_and_blanks_are_missing():
    frame = pd.DataFrame({"name": [" 雨水箅子　", "　", ""], "extra": 1}, index=[3, 4, 5])
    rows = tidy(frame)
    assert list(rows.columns) == [*CODE_COLUMNS, *TEXT_COLUMNS, *DATE_COLUMNS]
    assert rows["name"].tolist() == ["雨水箅子", None, None]
    assert rows["owner_name"].isna().all()
    assert rows.index.tolist() == [3, 4, 5]


def test_tidy_makes_codes_plain_digits():
    frame = pd.DataFrame(
        {"code": ["１３０１０２０１０４０００１２３", "1301 0201 0400 0123", None]}
    )
    assert tidy(frame)["code"].tolist() == ["1301020104000123", "1301020104000123", None]


def test_numbers_in_code_columns_become_their_digits():
    frame = pd.DataFrame({"code": [1301020104000123.0, np.nan], "class_code": [104, 105]})
    rows = tidy(frame)
    assert rows["code"].tolist() == ["1301020104000123", None]
    assert rows["class_code"].tolist() == ["104", "105"]
