"""A judgement as plain values, for machines."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from census.report.ground import Geometries, spots_of
from census.report.judgement import FileJudgement, Judgement, count_rules, describe_rule

SCHEMA = 1
"""Version of the document; raised when something in it changes its meaning or goes away."""


def as_document(judgement: Judgement) -> dict[str, Any]:
    """Return the judgement as plain values for JSON, with every fault; documented in docs/census."""
    faults = judgement.faults
    x, y = places_of(faults.geometry.to_numpy(dtype=object))
    columns = {
        "file": faults["source_file"],
        "row": faults["source_row"],
        "dataset": faults["dataset"],
        "code": faults["code"],
        "class_code": faults["class_code"],
        "rule": faults["rule"],
        "severity": faults["severity"],
        "reason_en": faults["reason_en"],
        "reason_zh": faults["reason_zh"],
        "x": pd.Series(x, index=faults.index).round(3),
        "y": pd.Series(y, index=faults.index).round(3),
    }
    listed = pd.DataFrame({name: column.astype(object) for name, column in columns.items()})
    listed = listed.where(listed.notna(), None)
    document = {
        "schema": SCHEMA,
        "delivery": judgement.delivery,
        "as_of": judgement.as_of,
        "city": judgement.city,
        "crs": judgement.crs,
        "checked_at": judgement.checked_at,
        "seconds": round(judgement.seconds, 3),
        "verdict": judgement.verdict.level,
        "reasons": [asdict(reason) for reason in judgement.verdict.reasons],
        "limits": {"refused_limit": judgement.verdict.refused_limit},
        "obstacles": [asdict(obstacle) for obstacle in judgement.obstacles],
        "datasets": [asdict(tally) | {"share": tally.share} for tally in judgement.tallies],
        "remarks": [asdict(remark) for remark in judgement.remarks],
        "skipped": list(judgement.skipped),
        "files": [_file(file) for file in judgement.files],
        "rules": rule_rows(judgement),
        "classes": [asdict(tally) for tally in judgement.classes],
        "faults": listed.to_dict("records"),
    }
    cleaned: dict[str, Any] = clean(document)
    return cleaned


def _file(file: FileJudgement) -> dict[str, Any]:
    evidence = file.encoding_evidence
    return asdict(file) | {
        "encoding_evidence": evidence.en,
        "encoding_evidence_zh": evidence.zh,
        "warnings": [warning.en for warning in file.warnings],
        "warnings_zh": [warning.zh for warning in file.warnings],
    }


def rule_rows(judgement: Judgement) -> list[dict[str, Any]]:
    """Return the rules broken: counts, the first reason as example, why it is a rule, how to mend it."""
    rows = []
    for row in count_rules(judgement).to_dict("records"):
        told = describe_rule(judgement.rules.get(row["rule"]))
        texts = {
            f"{name}_{language}": getattr(told[name], language)
            for name in ("why", "fix")
            for language in ("en", "zh")
        }
        rows.append({str(name): value for name, value in row.items()} | texts)
    return rows


def clean(value: Any) -> Any:
    """Return values with text that UTF-8 can hold: lone halves of characters become ``?``."""
    if isinstance(value, str):
        return value.encode("utf-8", errors="replace").decode()
    if isinstance(value, Mapping):
        return {clean(key): clean(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [clean(each) for each in value]
    return value


def places_of(shapes: Geometries) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return east and north of a point on each shape; NaN where there is none."""
    spots = spots_of(shapes)
    return np.asarray(shapely.get_x(spots), float), np.asarray(shapely.get_y(spots), float)
