"""Words around an address go; names that hold such words stay as far as they can be told."""

import pytest

from gis.addresses.speech import without_speech
from gis.addresses.spelling import normalise


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("我在府塘医院1号楼这一块", "府塘医院1号楼"),
        ("那个，石家庄市长安区松沟巷６号旁边", "石家庄市长安区松沟巷6号旁边"),
        ("您好，请派人到裕华路12号来看一下，谢谢", "裕华路12号"),
        ("就是建设小区3号楼那边", "建设小区3号楼"),
        ("市民反映：裕华路与建设大街路口东50米这里没人管", "裕华路与建设大街路口东50米"),
        ("地址：裕华路12号", "裕华路12号"),
        ("裕华路12号", "裕华路12号"),
        ("在水一方小区", "在水一方小区"),
        ("好利来", "好利来"),
        ("你好", "你好"),
        ("谢谢", "谢谢"),
        ("", ""),
    ],
)
def test_what_a_caller_says_around_an_address(said: str, address: str) -> None:
    assert without_speech(normalise(said)) == address


def test_long_speech_ends() -> None:
    assert len(without_speech("麻烦" * 5_000)) < 10_000
