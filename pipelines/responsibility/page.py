"""The page of ``wanmi plan check``: matrix, map and lists in one HTML file, read without network."""

from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from hashlib import sha256
from html import escape
from importlib import metadata, resources
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import orjson
import shapely

from census.plan.chains import Chain
from census.plan.coverage import Coverage
from census.plan.rows import ANYWHERE
from census.report.ground import pack_lines
from gis.outputs import appearing
from pipelines.responsibility.judging import PlanJudgement
from pipelines.responsibility.listing import as_document
from pipelines.responsibility.validity import DAYS
from pipelines.responsibility.wording import area_names

_SIMPLIFIED_M = 2.0


def write_page(judged: PlanJudgement, path: Path, *, now: datetime | None = None) -> None:
    """Write the report; it appears whole, or not at all.

    Raises
    ------
    WorkspaceError
        The file can not be written.
    """
    with appearing(path) as partial:
        partial.write_text(page_text(judged, now=now or datetime.now(UTC)), encoding="utf-8")


def page_text(judged: PlanJudgement, *, now: datetime) -> str:
    """Return the page; whatever comes from the workbook is escaped, and only its own script may run."""
    folder = resources.files("pipelines.responsibility")
    html, css, script = (
        folder.joinpath(name).read_text(encoding="utf-8")
        for name in ("page.html", "page.css", "page.js")
    )
    data = orjson.dumps(payload_of(judged), default=str).decode()
    return Template(html).substitute(
        css=css,
        script=script,
        script_hash=b64encode(sha256(script.encode()).digest()).decode(),
        # A script ends at the first "</", wherever it stands.
        data=data.replace("<", "\\u003c").replace("\u2028", " ").replace("\u2029", " "),
        file=escape(judged.file),
        as_of=judged.as_of.isoformat(),
        date=now.strftime("%Y-%m-%d %H:%M UTC"),
        version=escape(metadata.version("wanmi")),
        level="accept" if judged.is_accepted else "reject",
        verdict_en="Accepted" if judged.is_accepted else "Not accepted",
        verdict_zh="通过" if judged.is_accepted else "不通过",
    )


def payload_of(judged: PlanJudgement) -> dict[str, Any]:
    """Return what the page shows: findings, faults, the matrix, the rows, the map."""
    names = area_names(judged.context, judged.areas)
    coverage = judged.coverage
    columns = _columns(judged)
    groups = [_places_in(coverage.places, code) for code in columns]
    named = set(judged.outcome.accepted["area_code"])
    states = np.array([coverage.state(answer) for answer in coverage.answers] or [0])
    return as_document(judged) | {
        "columns": [
            {"code": code, "name": names.get(code, code), "places": places}
            for code, places in zip(columns, groups, strict=True)
        ],
        "matrix": [
            {"kind": kind, "code": code, "name": _name(judged, kind, code), "states": line}
            for kind, codes in coverage.classes.items()
            for code, line in zip(codes, _lines(coverage, kind, codes, states), strict=True)
        ],
        "majors": {
            f"{kind}{entry.code}": entry.name
            for kind in coverage.classes
            for entry in judged.taxonomy.majors(kind)
        },
        "chains": [_codes(place) for place in coverage.places],
        "plan": [_row(row) for row in judged.outcome.accepted.to_dict("records")],
        "units": dict(judged.context.unit_directory().names),
        "names": {code: names[code] for code in names if len(code) <= 12 or code in named},
        "map": _map(judged),
    }


def _columns(judged: PlanJudgement) -> list[str]:
    """Return the areas that head the columns: streets, then communities, then what the plan draws."""
    areas = judged.context.rows("areas")
    levels = {
        level: sorted(areas.loc[areas["level"].eq(level), "code"])
        for level in ("street", "community")
    }
    drawn = [code for code in sorted(judged.areas["code"]) if code in judged.plan.areas]
    return [*levels["street"], *levels["community"], *drawn]


def _places_in(places: Sequence[Chain], code: str) -> list[int]:
    return [number for number, place in enumerate(places) if code in _codes(place)]


def _codes(place: Chain) -> list[str]:
    return [code for _, _, code in place.areas()]


def _lines(coverage: Coverage, kind: str, codes: Sequence[str], states: Any) -> list[str]:
    """Return the state of each class in each place, one figure per place."""
    known: dict[int, str] = {}
    lines = []
    for code in codes:
        column = coverage.table[kind, code]
        if id(column) not in known:
            known[id(column)] = "".join(map(str, states[np.array(column, dtype=int)].tolist()))
        lines.append(known[id(column)])
    return lines


def _name(judged: PlanJudgement, kind: str, code: str) -> str:
    entry = judged.taxonomy.get(kind, code)
    return "" if entry is None else entry.name


def _row(row: dict[Any, Any]) -> dict[str, Any]:
    kept = ("code", "kind", "class_code", "area_code", "role", "unit_code", "season", "hours")
    result = {name: row[name] for name in kept if isinstance(row[name], str)}
    if isinstance(row["limit_unit"], str):
        result["limit"] = f"{row['limit_value']:g} {row['limit_unit']}"
    days = {name: row[name] for name in DAYS if isinstance(row[name], date)}
    return result | days | {"sheet": str(row["source_file"]), "line": int(row["source_row"])}


def _map(judged: PlanJudgement) -> dict[str, Any]:
    """Return communities with the number of findings that concern them, and the areas drawn."""
    areas = judged.context.features("areas")
    communities = areas[areas["level"].eq("community")].sort_values("code")
    counts: Counter[str] = Counter()
    for finding in judged.findings:
        if ANYWHERE in finding.areas:
            continue  # told once, not in every community
        concerned = {judged.places[number].community for number in finding.places}
        counts.update(code for code in concerned if code)
    shapes = communities.geometry.to_numpy()
    drawn = judged.areas.geometry.to_numpy()
    layers = [shape for shape in (*shapes, *drawn) if shape is not None]
    if not layers:
        return {"size": [1, 1], "areas": [], "drawn": []}
    west, south, east, north = shapely.total_bounds(np.array(layers, dtype=object)).tolist()
    told = [
        {"code": code, "count": counts[code], "rings": _rings(shape, (west, south))}
        for code, shape in zip(communities["code"], shapes, strict=True)
    ]
    return {
        "size": [round((east - west) * 10), round((north - south) * 10)],
        "areas": told,
        "drawn": [
            {"code": row.code, "name": row.name, "kind": row.kind, "sharing": row.sharing,
             "sides": list(row.sides), "rings": _rings(shape, (west, south))}
            for row, shape in zip(judged.areas.itertuples(index=False), drawn, strict=True)
        ],
    }  # fmt: skip


def _rings(shape: Any, origin: tuple[float, float]) -> list[list[int]]:
    if shape is None:
        return []
    thin = shapely.simplify(shape, _SIMPLIFIED_M)
    return pack_lines(shapely.get_rings(shapely.get_parts(thin)), origin=origin)
