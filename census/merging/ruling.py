"""What deciding a conflict does to what is live."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from census.merging.fields import ATTRIBUTE, COLUMNS, STATED, document, filled, plain, restore
from census.merging.joining import columns_of
from gis.errors import ConflictError, RequestError

Take = Literal["live", "delivered", "base", "both"]
_GIVEN_TWICE = ("add_add", "place")

Row = dict[str, Any]


@dataclass(kw_only=True)
class Rulings:
    """The live rows that decisions change, one decision after the other."""

    live: Mapping[str, Row]
    """Code -> live row, of all codes that a decision may touch."""
    next_code: Callable[[str], str]
    """Gives the next free code of the district and class of a code."""
    changed: dict[str, Row] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    recodes: list[tuple[str, str]] = field(default_factory=list)
    """New code, former code."""

    def row(self, code: str | None) -> Row | None:
        """Return a row as it is after the decisions so far; None: it is not live."""
        if code is None or code in self.ended:
            return None
        return self.changed.get(code) or self.live.get(code)

    def write(self, row: Row) -> None:
        """Let a row hold."""
        self.ended.discard(row["code"])
        self.changed[row["code"]] = row

    def end(self, code: str) -> None:
        """Let a row end."""
        self.changed.pop(code, None)
        self.ended.add(code)

    def free(self, row: Row, conflict: Mapping[str, Any], *, is_new: bool) -> Row:
        """Return a row under a code that is free: its own, or a new one if both are kept."""
        if self.row(row["code"]) is None:
            return row
        if not is_new:
            code, number = row["code"], conflict["conflict_id"]
            msg = (
                f"Conflict {number}: the code {code} is another component's by now: take both, which gives "
                f"the delivered row the next free code, or see `wanmi census history {code}`."
            )
            raise ConflictError(
                msg, zh=f"冲突 {number}：编码 {code} 现已属于另一部件：请用 --take both 赋新码。"
            )
        return {**row, "code": self.next_code(row["code"])}


def rule(rulings: Rulings, conflict: Mapping[str, Any], take: Take) -> None:
    """Apply one decision.

    Raises
    ------
    RequestError
        That side can not be taken for this kind of conflict.
    ConflictError
        What is live changed since the conflict was found.
    """
    _refuse_take(conflict, take)
    check_unchanged(rulings, conflict)
    if take == "live":
        return
    if conflict["field"] is not None:
        _rule_field(rulings, conflict, take)
    elif conflict["kind"] in _GIVEN_TWICE:
        _rule_given_twice(rulings, conflict, take)
    else:
        _rule_existence(rulings, conflict, take)


def _refuse_take(conflict: Mapping[str, Any], take: Take) -> None:
    number, kind = conflict["conflict_id"], conflict["kind"]
    if take == "both" and kind not in _GIVEN_TWICE:
        msg = f"Conflict {number} ({kind}) is about one component: take live, delivered or base."
        raise RequestError(
            msg, zh=f"冲突 {number}（{kind}）只涉及一个部件：请选择 live、delivered 或 base。"
        )
    if take == "base" and kind in _GIVEN_TWICE and conflict["field"] is None:
        msg = f"Conflict {number} ({kind}) has no base: take live, delivered or both."
        raise RequestError(
            msg, zh=f"冲突 {number}（{kind}）没有基准：请选择 live、delivered 或 both。"
        )


def check_unchanged(rulings: Rulings, conflict: Mapping[str, Any]) -> None:
    """Refuse a decision on values that are no longer those that were shown."""
    if same_values(current(rulings, conflict), conflict["live_value"]):
        return
    number, code = conflict["conflict_id"], conflict["live_code"] or conflict["code"]
    msg = (
        f"Conflict {number}: {code} was changed since it was found: see `wanmi census history {code}`, "
        "bring the list up to date with `wanmi census conflicts --renew`, then decide anew."
    )
    raise ConflictError(
        msg,
        zh=f"冲突 {number}：{code} 在发现冲突后已变化：请先看 wanmi census history {code}，"
        "再用 wanmi census conflicts --renew 更新后重新裁决。",
    )


def current(rulings: Rulings, conflict: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what is live now of what a conflict is about, as its ``live_value`` is written."""
    row = rulings.row(conflict["live_code"] or conflict["code"])
    if row is None:
        return None
    name = conflict["field"]
    if name is None:
        return document(row, COLUMNS)
    if name.startswith(ATTRIBUTE):
        key = name.removeprefix(ATTRIBUTE)
        return {key: (row["attributes"] or {}).get(key)}
    return document(row, _columns(name))


def same_values(a: Mapping[str, Any] | None, b: Mapping[str, Any] | None) -> bool:
    """Return whether two stored values say the same.

    Examples
    --------
    >>> same_values({"w": 3.0}, {"w": 3}), same_values(None, {"w": None})
    (True, False)
    """
    if a is None or b is None:
        return a is b
    names = {*a, *b} - {STATED}
    return all(plain(a.get(name)) == plain(b.get(name)) for name in names)


def _columns(name: str) -> tuple[str, ...]:
    return ("code",) if name == "code" else columns_of(name).columns


def _rule_field(rulings: Rulings, conflict: Mapping[str, Any], take: Take) -> None:
    row = rulings.row(conflict["live_code"])
    assert row is not None
    side = "base" if take == "base" else "delivered"
    value = conflict[f"{side}_value"] or {}
    name = conflict["field"]
    if name.startswith(ATTRIBUTE):
        merged = {**(row["attributes"] or {}), **value}
        kept = {key: item for key, item in merged.items() if plain(item) is not None}
        rulings.write({**row, "attributes": kept})
    elif name == "code":
        _recode(rulings, conflict, row, code=str(value["code"]), is_new=take == "both")
    else:
        rulings.write({**row, **restore({key: value.get(key) for key in _columns(name)})})


def _recode(
    rulings: Rulings, conflict: Mapping[str, Any], row: Row, *, code: str, is_new: bool
) -> None:
    if code == row["code"]:
        return
    changed = rulings.free({**row, "code": code}, conflict, is_new=is_new)
    rulings.end(row["code"])
    rulings.write(changed)
    rulings.recodes.append((changed["code"], row["code"]))


def _rule_given_twice(rulings: Rulings, conflict: Mapping[str, Any], take: Take) -> None:
    delivered = restore(conflict["delivered_value"])
    stated = delivered.pop(STATED, None)
    if take == "delivered":
        code = conflict["live_code"]
        live = rulings.row(code)
        if stated is not None and live is not None:
            delivered = filled(delivered, live, stated=stated)
        if conflict["kind"] == "place" and delivered["code"] != code:
            rulings.end(code)
            rulings.recodes.append((delivered["code"], code))
            delivered = rulings.free(delivered, conflict, is_new=False)
    else:
        delivered = rulings.free(delivered, conflict, is_new=True)
    rulings.write(delivered)


def _rule_existence(rulings: Rulings, conflict: Mapping[str, Any], take: Take) -> None:
    """Decide whether a component that one side ended and the other changed holds."""
    value = conflict["base_value" if take == "base" else "delivered_value"]
    code = conflict["live_code"]
    if value is None:
        rulings.end(code)
        return
    row = {name: held for name, held in restore(value).items() if name != STATED}
    if code is not None and row["code"] != code:
        rulings.end(code)
        rulings.recodes.append((row["code"], code))
    if row["code"] != code:
        row = rulings.free(row, conflict, is_new=False)
    rulings.write(row)
