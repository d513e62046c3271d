"""The ``[decision]`` table of a city profile: which orders of roles it takes, and what it says of others."""

import pytest

from gis.errors import SettingsError
from gis.workspace import Decision, parse_profile

CITY = '[city]\ncode = "130102"\n'


def read(text: str) -> Decision:
    return parse_profile(f"{CITY}[decision]\n{text}").decision


def test_the_most_specific_order_of_a_class_holds() -> None:
    decision = read(
        """
event_order = ["competent"]
[[decision.class]]
kind = "event"
class_code = "01"
order = ["handler"]
[[decision.class]]
kind = "event"
class_code = "0103"
order = ["territorial"]
[[decision.class]]
kind = "component"
class_code = "0103"
order = ["owner"]
"""
    )
    asked = ("0103", "0104", "01031", "0201", None)
    assert [decision.order("event", code)[0] for code in asked] == [
        "territorial", "handler", "handler", "competent", "competent"
    ]  # fmt: skip
    assert decision.order("component", "0103") == ("owner",)
    assert decision.order("component", "0104") == Decision().component_order


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("component_order = []", "the order of component_order is empty"),
        ('event_order = ["boss"]', "the order of event_order names an unknown role 'boss': known are"),
        ('event_order = ["handler", "handler"]', "names a role twice: handler, handler"),
        ('event_order = "handler"', "Expected `array`"),
        ("rival_probability = 0", "> 0.0"),
        ("rival_probability = 1.5", "<= 1.0"),
        ("record_trust = -0.1", ">= 0.0"),
        ('[[decision.class]]\nkind = "event"\nclass_code = "1"\norder = ["handler"]', "regex"),
        ('[[decision.class]]\nkind = "both"\nclass_code = "01"\norder = ["handler"]', "'both'"),
        ('[[decision.class]]\nkind = "event"\nclass_code = "01"\norder = []', "class event 01 is empty"),
        ('[[decision.class]]\nkind = "event"\nclass_code = "01"', "missing required field `order`"),
        (
            '[[decision.class]]\nkind = "event"\nclass_code = "01"\norder = ["handler"]\n' * 2,
            "[[decision.class]] has event 01 twice",
        ),
        ('order = ["handler"]', "unknown field `order`"),
    ],
)  # fmt: skip
def test_an_order_that_can_not_be_meant_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(SettingsError) as error:
        read(text)
    assert words in str(error.value)
    assert "correct this line" in str(error.value)
    assert "请修改城市配置" in error.value.zh
