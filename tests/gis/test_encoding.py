"""Encodings are decided by evidence; what was declared may be wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.encoding import decide_encoding, decode_values, find_codec
from gis.errors import EncodingError

NAMES = ["裕华区", "建设大街", "雨水箅子", "石家庄市排水管护处", "东风路12号院"]
TRADITIONAL = ["臺南市永康區", "永大路二段", "路燈故障", "環境衛生"]


def encoded(texts, codec):
    return [text.encode(codec) for text in texts]


@pytest.mark.parametrize(
    ("texts", "codec", "label"),
    [
        (NAMES, "utf-8", "UTF-8"),
        (NAMES, "gbk", "GBK"),
        (TRADITIONAL, "big5", "Big5"),
        (TRADITIONAL, "utf-8", "UTF-8"),
        ([*NAMES, "㐀村", "𠀀里"], "gb18030", "GB18030"),
        (["plain"], "ascii", "ASCII"),
        ([], "ascii", "ASCII"),
    ],
)
def test_the_text_itself_decides(texts, codec, label):
    decision = decide_encoding(encoded(texts, codec))
    assert decision.label == label
    assert decision.warnings == ()


@pytest.mark.parametrize("name", ["联通", "市政", "中国移动", "路灯"])
@pytest.mark.parametrize("codec", ["gbk", "utf-8"])
def test_even_one_short_name_is_enough(name, codec):
    # 联通 in GBK is valid UTF-8, as Notepad learnt.
    decision = decide_encoding([name.encode(codec)])
    assert name.encode(codec).decode(decision.codec) == name


@pytest.mark.parametrize(
    ("codec", "cpg", "label"),
    [
        ("utf-8", "GBK", "UTF-8"),
        ("gbk", "UTF-8", "GBK"),
        ("gbk", "ISO-8859-1", "GBK"),
        ("utf-8", "ISO-8859-1", "UTF-8"),
        ("gbk", "BIG5", "GBK"),
    ],
)
def test_a_wrong_cpg_is_overruled_and_told(codec, cpg, label):
    decision = decide_encoding(encoded(NAMES, codec), cpg=cpg)
    assert decision.label == label
    assert [said.en for said in decision.warnings] == [
        f"The .cpg says {cpg} but the text is {label}; read as {label}."
    ]


@pytest.mark.parametrize("cpg", ["UTF-8", "utf8", "65001"])
def test_a_right_cpg_is_followed(cpg):
    decision = decide_encoding(encoded(NAMES, "utf-8"), cpg=cpg)
    assert (decision.label, decision.warnings) == ("UTF-8", ())
    assert decision.evidence.en.startswith("the .cpg says")


def test_the_language_byte_is_overruled_by_the_text():
    decision = decide_encoding(encoded(NAMES, "utf-8"), language_id=0x4D)
    assert decision.label == "UTF-8"
    assert "language byte says 0x4D" in decision.warnings[0].en
    assert decide_encoding(encoded(NAMES, "gbk"), language_id=0x4D).warnings == ()


def test_western_text_follows_what_is_declared():
    texts = encoded(["Café", "Señor", "Müller"], "cp1252")
    assert decide_encoding(texts, cpg="ANSI 1252").codec == "cp1252"


def test_text_of_no_likely_encoding_is_refused():
    with pytest.raises(EncodingError, match=r"state encoding in delivery\.toml") as caught:
        decide_encoding([b"\x81\x20\xff\xfe", b"\xff\xff\xff", b"\x80\x81\xff"])
    assert "无法判定" in caught.value.zh


def test_a_stated_encoding_is_followed_if_it_fits():
    assert decide_encoding(encoded(NAMES, "gbk"), stated="GBK", cpg="UTF-8").codec == "gb18030"
    doubtful = decide_encoding(encoded(NAMES, "utf-8"), stated="ISO-8859-1")
    assert [said.en for said in doubtful.warnings] == [
        "The text looks like UTF-8, but ISO-8859-1 is stated and was used."
    ]


@pytest.mark.parametrize(
    ("stated", "text"), [("UTF-8", "not in the stated"), ("Klingon", "Unknown")]
)
def test_a_stated_encoding_that_does_not_fit_is_refused(stated, text):
    with pytest.raises(EncodingError, match=text):
        decide_encoding(encoded(NAMES, "gbk"), stated=stated)


def test_gbk_and_gb2312_are_read_with_their_superset():
    assert {find_codec(name) for name in ("GBK", "gb2312", "CP936", "936")} == {"gb18030"}


@pytest.mark.parametrize(
    ("codec", "kept", "expected"),
    [("gbk", 5, "裕华"), ("utf-8", 8, "裕华"), ("utf-8", 7, "裕华"), ("big5", 5, "裕華")],
)
def test_a_cut_last_character_is_dropped_and_marked(codec, kept, expected):
    text = "裕華路" if codec == "big5" else "裕华路"
    decoded = decode_values([b"a", text.encode(codec)[:kept]], codec=codec)
    assert decoded.values == ["a", expected]
    assert decoded.cut == (1,)
    assert decoded.damaged == ()


def test_damage_in_the_middle_is_replaced_and_marked():
    decoded = decode_values([b"ok", b"a\xffb"], codec="utf-8")
    assert decoded.values == ["ok", "a\ufffdb"]
    assert (decoded.cut, decoded.damaged) == ((), (1,))


def test_cut_values_do_not_change_the_decision():
    cut = [name.encode("gbk")[:-1] for name in NAMES]
    assert decide_encoding(cut).label == "GBK"
    assert decide_encoding([name.encode()[:-1] for name in NAMES]).label == "UTF-8"


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_no_bytes_break_the_decision(values):
    try:
        decision = decide_encoding(values)
    except EncodingError:
        return
    assert len(decode_values(values, codec=decision.codec).values) == len(values)
