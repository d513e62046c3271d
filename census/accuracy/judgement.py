"""The verdict on a census by what was re-measured: per class, per accuracy class, completeness."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pandas as pd

from census.accuracy.measurement import PROBLEMS, Measured
from census.accuracy.statistics import Group, Limits, Share, judge_group, share_of

Outcome = Literal["pass", "fail", "undecided"]
NAMES: Mapping[str, tuple[str, str]] = {
    "pass": ("pass", "合格"),
    "fail": ("fail", "不合格"),
    "undecided": ("undecided", "无法判定"),
    "too_few": ("too few points to judge", "点数不足，不判定"),
}
"""Verdicts in both languages."""
ENOUGH_VISITED = 0.8
"""Share of the sample that has to come back: who leaves out the hard ones is not random any more."""


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One thing that decided."""

    en: str
    zh: str


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """Position accuracy and completeness of a census."""

    verdict: Outcome
    reasons: tuple[Reason, ...]
    limits: Limits
    accuracy_classes: tuple[Group, ...]
    """A, B and C, as far as there are points."""
    classes: tuple[Group, ...]
    """Minor classes by code."""
    class_names: Mapping[str, str]
    omission: Share
    """Components that the census lacks, of those that exist where it was looked."""
    commission: Share
    """Components that do not exist, of those looked for."""
    measured: Measured


def assess(measured: Measured, limits: Limits) -> Assessment:
    """Return the figures and the verdict.

    It fails if an accuracy class or a class with enough points fails, or if omission or commission is
    beyond its limit. It is undecided if no accuracy class has enough points, or much of the sample was
    not visited. Classes with too few points are shown and not judged.
    """
    points = measured.points
    by_accuracy = tuple(
        judge_group(str(key), rows, limit_m=float(rows["limit_m"].iloc[0]), limits=limits)
        for key, rows in points.groupby("accuracy", sort=True)
    )
    by_class = tuple(
        judge_group(str(key), rows, limit_m=float(rows["limit_m"].iloc[0]), limits=limits)
        for key, rows in points.groupby("class_code", sort=True)
    )
    there, absent = len(points), len(measured.not_found)
    missing = int(measured.extra["count"].sum())
    omission, commission = share_of(missing, there + missing), share_of(absent, there + absent)
    failures = list(_failures(by_accuracy, by_class, limits))
    failures += _incompleteness(omission, commission, limits)
    doubts = [] if failures else list(_doubts(by_accuracy, measured))
    verdict: Outcome = "fail" if failures else "undecided" if doubts else "pass"
    known = pd.concat([points, measured.not_found])
    return Assessment(
        verdict=verdict,
        reasons=tuple(failures or doubts or [_sound(by_accuracy)]),
        limits=limits,
        accuracy_classes=by_accuracy,
        classes=by_class,
        class_names=dict(zip(known["class_code"], known["class_name"], strict=True)),
        omission=omission,
        commission=commission,
        measured=measured,
    )


def _failures(
    by_accuracy: tuple[Group, ...], by_class: tuple[Group, ...], limits: Limits
) -> Iterator[Reason]:
    for what_en, what_zh, groups in (
        ("Accuracy class", "精度等级", by_accuracy),
        ("Class", "小类", by_class),
    ):
        for group in groups:
            if group.verdict != "fail":
                continue
            if group.rmse_m is None or group.rmse_m > group.limit_m:
                shown = "-" if group.rmse_m is None else f"{group.rmse_m:.2f}"
                yield Reason(
                    en=f"{what_en} {group.key}: RMSE {shown} m is beyond {group.limit_m:g} m.",
                    zh=f"{what_zh} {group.key}：中误差 {shown} m，超过限值 {group.limit_m:g} m。",
                )
            share = group.gross / group.points
            if share > limits.gross_share:
                yield Reason(
                    en=f"{what_en} {group.key}: {group.gross} of {group.points} points are gross "
                    f"errors, more than {limits.gross_share:.0%}.",
                    zh=f"{what_zh} {group.key}：{group.points} 点中粗差 {group.gross} 点，"
                    f"超过 {limits.gross_share:.0%}。",
                )


def _incompleteness(omission: Share, commission: Share, limits: Limits) -> Iterator[Reason]:
    for share, limit, en, zh in (
        (omission, limits.omission, "are not in the census", "漏查"),
        (commission, limits.commission, "of the census do not exist", "多余"),
    ):
        if share.value > limit:
            yield Reason(
                en=f"{share.count} of {share.of} components {en}: {share.value:.1%}, more than {limit:.0%}.",
                zh=f"{share.of} 个部件中{zh} {share.count} 个（{share.value:.1%}），超过 {limit:.0%}。",
            )


def _doubts(by_accuracy: tuple[Group, ...], measured: Measured) -> Iterator[Reason]:
    if all(group.verdict == "too_few" for group in by_accuracy):
        yield Reason(
            en=f"{len(measured.points)} points are too few to judge any accuracy class.",
            zh=f"仅有 {len(measured.points)} 个复测点，不足以判定任何精度等级。",
        )
    visited = len(measured.points) + len(measured.not_found)
    drawn = visited + measured.unvisited
    if visited < ENOUGH_VISITED * drawn:
        yield Reason(
            en=f"Only {visited} of {drawn} components of the sample were visited: what is left is not random.",
            zh=f"样本 {drawn} 个部件只检查了 {visited} 个，已不具随机性。",
        )


def _sound(by_accuracy: tuple[Group, ...]) -> Reason:
    judged = [group for group in by_accuracy if group.verdict == "pass"]
    en = ", ".join(f"{group.key} {group.rmse_m:.2f} of {group.limit_m:g} m" for group in judged)
    zh = "、".join(
        f"{group.key} 级 {group.rmse_m:.2f}（限 {group.limit_m:g}）m" for group in judged
    )
    return Reason(en=f"RMSE within its limits: {en}.", zh=f"中误差均在限值内：{zh}。")


def as_document(assessment: Assessment) -> dict[str, Any]:
    """Return all of it as plain values, for JSON."""
    measured = assessment.measured
    gross = measured.points[measured.points["is_gross"]]
    listed = ["code", "class_code", "limit_m", "deviation_m", "dx_m", "dy_m", "source_row"]
    return {
        "verdict": assessment.verdict,
        "reasons": [asdict(reason) for reason in assessment.reasons],
        "limits": asdict(assessment.limits),
        "accuracy_classes": [_group(group) for group in assessment.accuracy_classes],
        "classes": [
            {**_group(group), "name": assessment.class_names.get(group.key, "")}
            for group in assessment.classes
        ],
        "omission": {**asdict(assessment.omission), "share": assessment.omission.value},
        "commission": {**asdict(assessment.commission), "share": assessment.commission.value},
        "points": len(measured.points),
        "unvisited": measured.unvisited,
        "gross_errors": _records(gross[listed]),
        "not_found": measured.not_found["code"].tolist(),
        "extra": _records(measured.extra),
        "problems": [
            {
                **asdict(problem),
                "reason_en": PROBLEMS[problem.kind][0],
                "reason_zh": PROBLEMS[problem.kind][1],
            }
            for problem in measured.problems
        ],
    }


def _group(group: Group) -> dict[str, Any]:
    return {**asdict(group), "is_clear": group.is_clear}


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    plain = frame.astype(object).where(frame.notna(), None)
    return [{str(key): value for key, value in row.items()} for row in plain.to_dict("records")]
