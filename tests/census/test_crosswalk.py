import pandas as pd
import pytest

from census.crosswalk import migrate_classes, migrate_component_codes, read_crosswalk
from gis.errors import CodeError

OLD, MIDDLE, NEW = "CJ/T 214-2007", "GB/T 30428.2-2013", "GB/T 47678.5-2026"


def test_a_list_moves_with_the_undecidable_listed():
    table = migrate_classes(
        ["0101", "0117", "0502", "2101"], kind="component", from_ref=OLD, to_ref=NEW
    )
    assert table["to_code"].tolist() == ["01001", None, None, None]
    assert table["relation"].tolist() == ["renamed", "split", "none", "unknown"]
    assert table["candidates"].tolist()[1] == ["01030", "01031", "01032", "01033", "01034"]


def test_an_undecided_class_keeps_its_candidate_and_is_not_moved():
    successor = read_crosswalk("component", from_ref=MIDDLE, to_ref=NEW)["0505"]
    assert (successor.relation, successor.codes, successor.code) == ("undecided", ("02031",), None)


@pytest.mark.parametrize(
    ("code", "to"),
    [("0123", "01023"), ("0506", "01069"), ("0507", "01070"), ("0508", "01071"), ("0116", None)],
)
def test_2013_components_keep_major_and_sequence_but_for_those_moved(code, to):
    assert read_crosswalk("component", from_ref=MIDDLE, to_ref=NEW)[code].code == to


def test_crosswalks_lead_forwards_only():
    with pytest.raises(CodeError, match="forwards"):
        read_crosswalk("component", from_ref=NEW, to_ref=MIDDLE)


def test_component_codes_keep_district_and_sequence():
    codes = pd.Series(["1301020104000123", "1301020504000001", "bad"], index=[5, 6, 7])
    moved = migrate_component_codes(codes, from_ref=MIDDLE, to_ref=NEW)
    assert moved["to_code"].tolist() == ["13010201004000123", None, None]
    assert moved["relation"].tolist() == ["same", "none", "unknown"]
    assert moved.index.tolist() == [5, 6, 7]


def test_old_classes_that_become_one_do_not_share_a_code():
    # 0306 灯箱霓虹灯 became 03006 户外广告, and the code of the first row comes again in the third.
    codes = pd.Series(["1301020306000001", "1301020306000004", "1301020306000001"])
    moved = migrate_component_codes(codes, from_ref=OLD, to_ref=NEW)["to_code"]
    assert moved.tolist() == ["13010203006000001", "13010203006000004", "13010203006000005"]


def test_a_full_sequence_is_refused():
    codes = pd.Series(["1301020104999999", "1301020104999999"])
    with pytest.raises(CodeError, match="13010201004"):
        migrate_component_codes(codes, from_ref=MIDDLE, to_ref=NEW)
