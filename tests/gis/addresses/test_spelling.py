"""One spelling for names and addresses: what becomes one, what must stay apart."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.addresses.characters import folded
from gis.addresses.numerals import figures, numeral
from gis.addresses.spelling import LONGEST, normalise, tidy
from gis.codes import read_table

SIGNS = "路街道巷弄号楼层室单元米公里东西南北中一二三十百零两廿第甲之附与和至口段村区园门镇市县栋幢台臺號樓裡乾〇"
PIECES = st.text(
    alphabet=f"{SIGNS}0123456789abFfBoOlNn#.-、,/()（）[] \t①½²⻄⼀🙂ＡＺ９", max_size=24
)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        # full width, radicals, traditional characters, marks
        ("裕華路　１２號", "裕华路12号"),
        ("陕西省⻄安市⻓安区⼤雁塔", "陕西省西安市长安区大雁塔"),
        ("（近廣東路）", "(近广东路)"),
        ("【在建】[規劃]〔甲〕", "(在建)(规划)(甲)"),
        ("裕华路–12—1号", "裕华路-12-1号"),
        ("人民医院🙂👍🏻", "人民医院"),
        ("A/B、C", "a/b/c"),
        # variants: names of estates, Taiwan
        ("靜安邨太仓路181衖", "静安村太仓路181弄"),
        ("菴埔坵", "庵埔丘"),
        ("臺南市後壁區裡仁", "台南市后壁区里仁"),
        ("乾县", "干县"),
        ("乾縣餅乾店", "干县饼干店"),
        ("於潜镇", "于潜镇"),
        # numbers that count
        ("二十三号楼三单元一百零五室", "23号楼3单元105室"),
        ("富強路三段三百二十一巷十二弄", "富强路3段321巷12弄"),
        ("一二八号", "128号"),
        ("廿三号卅号", "23号30号"),
        ("两百米", "200米"),
        ("一公里", "1公里"),
        ("1.5公里", "1.5公里"),
        ("五六十米", "55米"),
        ("一百多米", "100多米"),
        ("一〇七国道", "107国道"),
        ("地下一层", "b1层"),
        ("负二楼", "b2层"),
        ("第5层", "5层"),
        ("梅湾村十三组", "梅湾村13组"),
        # numbers that name
        ("中山2路", "中山二路"),
        ("中山二路", "中山二路"),
        ("崇德32街", "崇德三十二街"),
        ("天通苑北1区", "天通苑北一区"),
        ("曹杨3村", "曹杨三村"),
        ("第2医院", "第二医院"),
        ("长安区2中", "长安区二中"),
        ("经3路", "经三路"),
        ("308国道", "308国道"),
        ("1号路", "1号路"),
        # names that hold numerals
        ("三里屯五一路八一街七里山塘三门路", "三里屯五一路八一街七里山塘三门路"),
        ("八一巷五四巷", "八一巷五四巷"),
        ("九江路十六铺千岛湖百合花园", "九江路十六铺千岛湖百合花园"),
        # plates
        ("12号之3", "12-3号"),
        ("12之3号", "12-3号"),
        ("84之9號", "84-9号"),
        ("81号-1", "81-1号"),
        ("12号至14号", "12-14号"),
        ("12～14号", "12-14号"),
        ("12、14号", "12/14号"),
        ("12 3号楼", "12/3号楼"),
        ("甲字5号", "甲5号"),
        ("12甲号", "甲12号"),
        ("裕华路#3", "裕华路3号"),
        ("裕华路No.3", "裕华路3号"),
        ("裕华路№3", "裕华路3号"),
        ("3#楼", "3号楼"),
        ("三栋", "3号楼"),
        ("3号栋", "3号楼"),
        ("B幢", "b座"),
        ("B号楼", "b座"),
        ("7F", "7f"),
        ("7號7F", "7号7层"),
        ("商场F3层", "商场3层"),
        ("太仓路181弄-5号", "太仓路181弄5号"),
        ("之3七樓", "之3/7楼"),
        # scanned text
        ("裕华路1O号", "裕华路10号"),
        ("裕华路l2号", "裕华路12号"),
        # what is no address
        ("电话13800138000裕华路12号", "裕华路12号"),
        ("裕华路12号 0311-85012345", "裕华路12号"),
        ("壮志路33号山下400020：", "壮志路33号山下"),
        ("710台灣台南市", "台湾台南市"),
        # Latin
        ("14 Aberdeen Avenue", "14aberdeenave"),
        ("ABERDEEN AVE. 14", "aberdeenave14"),
        ("Main Street & Vassar St", "mainst/vassarst"),
        ("Main St and Vassar St", "mainst/vassarst"),
        ("", ""),
        ("　\t\n", ""),
        ("\x00\x01\u200b", ""),
        ("'; DROP TABLE x; --", "droptablex"),
    ],
)
def test_how_a_text_is_spelt(text: str, plain: str) -> None:
    assert normalise(text) == plain


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("中山一路", "中山十路"),
        ("12号", "12号楼"),
        ("12-1号", "121号"),
        ("12、14号", "1214号"),
        ("1.5公里", "15公里"),
        ("五一路", "51路"),
        ("3号楼", "3层"),
        ("甲12号", "12号"),
    ],
)
def test_what_stays_apart(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


@given(PIECES)
@settings(max_examples=1500)
def test_spelling_twice_changes_nothing(text: str) -> None:
    plain = normalise(text)
    assert normalise(plain) == plain
    assert tidy(tidy(text)) == tidy(text)


@given(st.text(max_size=60))
@settings(max_examples=500)
def test_any_text_has_a_spelling(text: str) -> None:
    plain = normalise(text)
    assert normalise(plain) == plain
    assert not any(character.isspace() for character in plain)


@given(PIECES)
@settings(max_examples=300)
def test_what_is_shown_is_as_long_as_what_is_compared(text: str) -> None:
    shown = tidy(text)
    assert len(shown) == len(normalise(text))
    assert shown.translate(folded()) == normalise(text)


def test_every_radical_is_a_character() -> None:
    table = {row["radical"]: row["plain"] for row in read_table("gis.addresses", "radicals.csv")}
    assigned = {chr(code) for code in range(0x2E81, 0x2EF4) if unicodedata.name(chr(code), "")}
    kangxi = {chr(code) for code in range(0x2F00, 0x2FD6)}
    assert set(table) == assigned
    for radical in assigned | kangxi:
        plain = normalise(radical)
        assert len(plain) == 1
        assert unicodedata.name(plain).startswith("CJK UNIFIED IDEOGRAPH"), radical


def test_traditional_characters_are_spelt_one_by_one() -> None:
    """A name must not be spelt otherwise because of the words around it."""
    pairs = {
        "臺灣": "台湾",
        "後街": "后街",
        "里長": "里长",
        "鐘樓": "钟楼",
        "鍾路": "钟路",
        "雲林": "云林",
    }
    assert {old: normalise(old) for old in pairs} == pairs
    joined = "".join(pairs)
    assert normalise(joined) == "".join(pairs.values())


@given(st.integers(min_value=0, max_value=999))
def test_numerals_read_back(number: int) -> None:
    assert figures(numeral(number)) == str(number)


@pytest.mark.parametrize(
    "piece",
    ["一", "1栋", "十", "#", "No.", "1-", "12、", "13", "(近", "之", "第1", "电话1", "a路", " 1"],
)
def test_long_and_odd_texts_end(piece: str) -> None:
    text = piece * 10_000
    assert normalise(tidy(text[:LONGEST])) == normalise(text[:LONGEST])
    assert len(normalise(text)) <= 2 * len(text)
