"""Text in wrong encodings: repaired where it is proved, reported where it is not, else left alone."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.encoding import everyday_characters
from gis.fieldtexts import decide_fields, decode_mixed
from gis.findings import Finding
from gis.mojibake import repair_text
from gis.texts import examine_column, examine_frame, examine_values

STREETS = Path(__file__).resolve().parents[2] / "../shared/data/china_codes/modood_streets.csv"
HAN = sorted(c for c in everyday_characters() if "\u4e00" <= c <= "\u9fff")
HEALTHY = st.text(st.sampled_from(HAN), min_size=1, max_size=30)
NAME = "石家庄市市政道路管理处"


def misread(text, right, wrong):
    return text.encode(right).decode(wrong)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("utf-8", "latin-1"),
        ("gb18030", "latin-1"),
        ("gb18030", "cp437"),
        ("gb18030", "cp850"),
        ("big5", "latin-1"),
    ],
)
def test_mojibake_of_every_kind_is_read_back(right, wrong):
    text = "市政公用設施管理" if right == "big5" else NAME
    repair = repair_text(misread(text, right, wrong))
    assert repair is not None
    assert repair.text == text


def test_utf8_read_as_gbk_is_read_back_while_no_byte_was_lost():
    whole = "裕华路街道办事处"  # 24 bytes: twelve pairs
    assert repair_text(misread(whole, "utf-8", "gb18030")).text == whole
    odd = "裕华路街道办事处东"  # the last byte has no partner
    lost = odd.encode().decode("gbk", errors="replace")
    assert repair_text(lost) is None
    (verdict,) = examine_values([lost]).values()
    assert (verdict.kind, verdict.read) == ("suspect", lost)
    assert (
        verdict.guess == "裕华街道办事处东…"
    )  # what can be seen of it; nothing is put in its place


def test_windows_readings_with_gaps_are_read_back():
    text = "".join(
        bytes((value,)).decode("cp1252", errors="ignore") or chr(value) for value in NAME.encode()
    )
    assert repair_text(text).text == NAME


def test_text_that_went_wrong_twice_is_read_back():
    once = misread("市政工程管理处", "utf-8", "latin-1")
    assert repair_text(misread(once, "utf-8", "latin-1")).text == "市政工程管理处"


@given(HEALTHY)
def test_healthy_chinese_is_never_changed(text):
    assert repair_text(text) is None
    assert examine_values([text, NAME]) == {}


@given(st.text(st.characters(codec="latin-1"), max_size=40))
def test_european_text_is_hardly_ever_taken_for_chinese(text):
    repair = repair_text(text)
    if repair is not None:  # then it is Chinese in every character, there and back
        assert all(character < "\x80" or character > "\u2000" or character == "·"
                   for character in repair.text)  # fmt: skip


@pytest.mark.parametrize(
    "text", ["Müller & Söhne", "Café Élysée", "naïve façade", "Łódź", "Привет"]
)
def test_foreign_words_are_left_alone(text):
    assert repair_text(text) is None


@settings(max_examples=300)
@given(HEALTHY.filter(lambda text: len(text) >= 4), st.sampled_from(["utf-8", "gb18030"]))
def test_a_repair_is_the_text_that_was_written_or_none(text, right):
    try:
        broken = text.encode(right).decode("latin-1")
    except UnicodeError:
        return
    repair = repair_text(broken)
    assert repair is None or repair.text == text


@settings(max_examples=300)
@given(HEALTHY)
def test_utf8_as_gbk_comes_back_itself_or_not_at_all(text):
    try:
        broken = text.encode().decode("gb18030")
    except UnicodeError:
        return
    repair = repair_text(broken)
    assert repair is None or repair.text == text


@given(st.lists(HEALTHY, min_size=1), st.sampled_from(["utf-8", "gb18030", "big5"]))
def test_decoding_in_the_right_encoding_gives_every_text_back(texts, codec):
    try:
        values = [text.encode(codec) for text in texts]
    except UnicodeEncodeError:
        return
    decoded = decode_mixed(values, codec=codec)
    assert decoded.values == texts
    assert (decoded.cut, decoded.damaged, decoded.other) == ((), (), ())


@pytest.mark.skipif(not STREETS.is_file(), reason="the shared real data is not here")
def test_no_street_of_china_is_changed_and_most_come_back():
    with STREETS.open(encoding="utf-8") as stream:
        names = sorted({row["name"] for row in csv.DictReader(stream)})[::20]
    assert len(names) > 1000
    assert [name for name in names if repair_text(name)] == []
    broken = {name: misread(name, "gb18030", "latin-1") for name in names}
    repaired = {name: repair_text(text) for name, text in broken.items()}
    assert all(repair is None or repair.text == name for name, repair in repaired.items())
    assert sum(repair is not None for repair in repaired.values()) > 0.8 * len(names)
    # In a column, those whose bytes could be Big5 as well go the way of the others.
    verdicts = examine_values(list(broken.values()))
    back = [names[place] == verdict.read for place, verdict in verdicts.items()]
    assert all(back)
    assert len(back) > 0.97 * len(names)


# --- columns ---


def test_short_text_follows_the_way_that_its_column_went():
    column = pd.Series([misread(t, "gb18030", "latin-1") for t in (NAME, "路", NAME)], dtype=object)
    fixed, (finding,) = examine_column(column, rows=np.array([4, 5, 9]))
    assert fixed.tolist() == [NAME, "路", NAME]
    assert (finding.kind, finding.rows.tolist()) == ("mojibake", [4, 5, 9])
    assert finding.read == (NAME, "路", NAME)


def test_what_was_lost_is_found_row_by_row():
    long = "裕华路与建设大街交叉口东北角" * 12
    cut_utf8 = long.encode()[:254].decode(errors="ignore")
    cut_gbk = long.encode("gbk")[:254].decode("gbk", errors="ignore")
    column = pd.Series(
        ["????", "好", cut_utf8, "坏\ufffd字", cut_gbk, "谁？？", long, "怎么??", None, 5],
        dtype=object,
        name="备注",
    )
    fixed, findings = examine_column(column, rows=np.arange(1, 11))
    assert fixed.tolist() == column.tolist()
    found = {finding.kind: finding.rows.tolist() for finding in findings}
    assert found == {"question_marks": [1, 8], "damaged": [4], "likely_cut": [3, 5]}
    assert any("question marks stand in their place: rows 1, 8." in f.remark.en for f in findings)


def test_a_frame_is_examined_with_its_names():
    bad = misread("权属单位", "utf-8", "gbk")
    frame = pd.DataFrame({bad: ["市政处"], "宽": [1.5]})
    fixed, findings, warnings = examine_frame(frame, rows=np.array([1]))
    assert list(fixed.columns) == ["权属单位", "宽"]
    assert findings == ()
    assert [said.en for said in warnings] == [
        f"The name of column 权属单位 was read in a wrong encoding ({bad}); it was read back."
    ]


def test_a_finding_keeps_to_the_rows_that_are_there():
    finding = Finding(
        kind="cut",
        column="a",
        rows=np.array([1, 2, 3]),
        given=("x", "y", "z"),
        read=("x", "y", "z"),
    )
    kept = finding.within(np.array([2, 3, 4]))
    assert (kept.rows.tolist(), kept.given) == ([2, 3], ("y", "z"))


# --- one table, several encodings ---


def test_a_column_in_another_encoding_is_read_in_its_own_and_told():
    names = [b"NAME", b"OWNER"]
    streets = [text.encode("gbk") for text in ("裕华路", "建设大街", "中山路", "平安大街")]
    owners = [text.encode() for text in ("市政管理处", "排水公司", "路灯管理所")]
    decided = decide_fields(names, [streets, owners], cpg="GBK")
    assert decided.codecs == ("gb18030", "utf-8")
    (conflict,) = decided.conflicts(["NAME", "OWNER"])
    assert conflict.en == "Column OWNER is in UTF-8 although the file is in GB18030; read as UTF-8."


def test_columns_are_decided_alone_where_the_whole_can_not_be():
    decided = decide_fields([b"a"], [["长安区政府".encode("gbk")]])
    assert decided.decision.label == "GBK"


def test_rows_of_another_team_are_read_in_their_encoding():
    own = [text.encode("gbk") for text in ("裕华路", "建设大街")]
    other = "排水管理处".encode()  # an odd number of bytes: no GBK at all
    decoded = decode_mixed([*own, other, "市".encode("gbk") + b"\xd2"], codec="gb18030")
    assert decoded.values == ["裕华路", "建设大街", "排水管理处", "市"]
    assert (decoded.other, decoded.cut, decoded.damaged) == ((2,), (3,), ())
