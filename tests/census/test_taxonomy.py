import pytest

from census.taxonomy import doubtful_extensions, read_taxonomy
from gis.codes import read_table
from gis.errors import CodeError
from gis.workspace import ExtensionClass

MIDDLE, NEW = "GB/T 30428.2-2013", "GB/T 47678.5-2026"


def extension(code, name="爱心驿站", kind="component", **more):
    return ExtensionClass(kind=kind, code=code, name=name, **more)


def test_the_same_digits_mean_component_and_matter():
    taxonomy = read_taxonomy(NEW)
    assert taxonomy.get("component", "01001").name == "供水井盖"
    assert taxonomy.get("event", "01001").name == "供水井盖异常"
    assert taxonomy.get("event", "06012").name == "道路不洁"
    assert taxonomy.get("component", "06012") is None


def test_accuracy_class_gives_metres():
    taxonomy = read_taxonomy(MIDDLE)
    assert taxonomy.get("component", "0104").accuracy_m == 0.5  # 雨水箅子: a clear outline
    assert taxonomy.get("component", "0204").accuracy_m == 1.0  # 公交站亭
    assert taxonomy.get("component", "0201").accuracy_m == 10.0  # 停车场: a vague extent


def test_a_major_class_is_known_but_no_component_has_it():
    taxonomy = read_taxonomy(MIDDLE)
    assert taxonomy.get("component", "01").name == "公用设施"
    assert not taxonomy.exists("component", "01")
    assert [entry.code for entry in taxonomy.majors("component")] == ["01", "02", "03", "04", "05"]


def test_classes_are_found_by_name_and_known_spelling():
    taxonomy = read_taxonomy(MIDDLE)
    assert taxonomy.find("component", "雨水箅子").code == "0104"
    assert taxonomy.find("component", " 雨水篦子 ").code == "0104"
    assert taxonomy.find("component", "变压器(箱)").code == "0148"
    assert taxonomy.find("component", "飞碟") is None
    # Two classes of 2013 have names still to be verified: the name fits both, so none is chosen.
    assert taxonomy.find("component", "名称待核") is None


def test_a_name_of_its_own_wins_over_anothers_spelling():
    taxonomy = read_taxonomy("CJ/T 214-2007")
    assert taxonomy.find("component", "立杆").code == "0117"
    assert taxonomy.find("event", "占道广告牌").code == "0203"


def test_lost_zeros_are_restored_only_to_codes_that_exist():
    assert read_taxonomy(MIDDLE).restore("104") == "0104"
    assert read_taxonomy(MIDDLE).restore("104.0") == "0104"
    assert read_taxonomy(NEW).restore("1004") == "01004"
    assert read_taxonomy(NEW).restore("104") == "104"  # two digits short: no lost zero
    assert read_taxonomy(MIDDLE).restore("1O4") == "1O4"


def test_extensions_join_the_standard():
    taxonomy = read_taxonomy(MIDDLE, [extension("0199", accuracy="B", geometry="any")])
    entry = taxonomy.get("component", "0199")
    assert (entry.name, entry.evidence, entry.is_extension) == ("爱心驿站", "city", True)
    assert (entry.accuracy_m, entry.geometry, entry.major) == (1.0, "any", "01")
    assert taxonomy.find("component", "爱心驿站") == entry
    assert not read_taxonomy(MIDDLE).exists("component", "0199")


def test_the_city_of_the_example_fits_the_mechanism():
    rows = read_table("census.codes", "extension_example.csv")
    taxonomy = read_taxonomy(MIDDLE, [extension(row["code"], row["name"]) for row in rows])
    assert len([e for e in taxonomy.all("component") if e.is_extension]) == 26
    assert doubtful_extensions(taxonomy) == {}


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (extension("01099"), "4 digits"),
        (extension("0104"), "雨水箅子"),
    ],
)
def test_impossible_extensions_are_refused_with_the_fix(given, word):
    with pytest.raises(CodeError, match=word) as caught:
        read_taxonomy(MIDDLE, [given])
    assert "wanmi.toml" in caught.value.message


def test_the_same_extension_twice_is_refused():
    with pytest.raises(CodeError, match="takes the code of 爱心驿站"):
        read_taxonomy(MIDDLE, [extension("0199"), extension("0199", "河东驿站")])


def test_the_first_generation_has_a_major_class_for_extensions():
    taxonomy = read_taxonomy("CJ/T 214-2007", [extension("2101")])
    assert taxonomy.get("component", "2101").major == "21"
    assert doubtful_extensions(taxonomy) == {}


def test_odd_numbers_are_accepted_with_a_remark():
    assert doubtful_extensions(read_taxonomy(NEW, [extension("01999"), extension("01080")])) == {}
    low = read_taxonomy(NEW, [extension("01079")])
    assert doubtful_extensions(low) == {"01079": "extensions of class 01 start at 80 and above"}
    again = read_taxonomy(NEW, [extension("01016")])
    assert "retired" in doubtful_extensions(again)["01016"]
    assert again.exists("component", "01016")


def test_a_number_under_no_major_class_is_accepted_with_a_remark():
    taxonomy = read_taxonomy(MIDDLE, [extension("0799")])
    assert taxonomy.exists("component", "0799")
    assert "no major class" in doubtful_extensions(taxonomy)["0799"]


def test_an_unknown_standard_is_refused():
    with pytest.raises(CodeError, match="use one of CJ/T 214-2007"):
        read_taxonomy("GB/T 1")
