"""An untraced decision written as JSON at once: the bytes that `tell` and a serializer would give.

A decision told in full is some twenty values of eleven kinds, made to be read once by a serializer.
Here what many answers have in common (areas, units, terms) is written once for an edition and joined.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from api.edition import Edition
from api.owning.owners import Resolution
from api.telling.decision import LEAST_ALTERNATIVE, component_places, tell_areas
from api.telling.finding import Finding
from api.telling.responsibility import (
    component_texts,
    rule_of,
    tell_alternatives,
    tell_boundary,
    tell_owner,
)
from api.workdays import Deadline, deadline, ending
from gis.crs import GEOGRAPHIC, transform_point

_KEPT = 100_000
_NOT_DUE = orjson.dumps(ending(None))[1:-1]


class Writer:
    """What the answers of one edition have in common; safe to use from several threads.

    Parameters
    ----------
    edition : Edition
        Rows that hold on the day.
    """

    def __init__(self, edition: Edition) -> None:
        snapshot = edition.snapshot
        self._version, self._crs = snapshot.version, snapshot.crs
        self._zone = ZoneInfo(snapshot.profile.city.timezone)
        self._calendar = snapshot.profile.calendar
        self._codes = edition.grids.codes
        self._texts, self._places = component_texts(edition), component_places(edition)
        self._areas: dict[tuple[int, ...], orjson.Fragment] = {}
        self._owners: dict[int, tuple[Resolution, bytes, bytes, bytes]] = {}

    def write(
        self, finding: Finding, *, persons: bool, reported_at: datetime | None = None
    ) -> bytes:
        """Return the decision of a case that was found by its position alone, without its trace.

        Parameters
        ----------
        finding : Finding
            From ``api.single.find_one``.
        persons : bool
            Name the persons of management grids.
        reported_at : datetime or None
            From when the time limit is counted; None: it is not.
        """
        lon, lat = transform_point(finding.x, finding.y, source=self._crs, target=GEOGRAPHIC)
        return orjson.dumps(
            {
                "case_id": finding.case_id,
                "data_version": self._version,
                "location": {
                    "lon": lon,
                    "lat": lat,
                    "x": finding.x,
                    "y": finding.y,
                    "crs": self._crs,
                    "source": finding.source,
                    "accuracy_m": finding.sigma_m,
                    "address": None,
                },
                "grid": self._grid(finding),
                "areas": self._areas.get(finding.areas) or self._area(finding),
                "component": None if finding.chosen < 0 else self._component(finding),
                "owner": self._owner(finding, persons=persons, reported_at=reported_at),
                "probability": finding.probability,
                "boundary": None if finding.boundary < 0 else tell_boundary(finding),
                "trace": (),
                "needs_review": finding.needs_review,
                "reasons": finding.reasons,
            }
        )

    def _grid(self, finding: Finding) -> dict[str, Any]:
        codes, own = self._codes, finding.grid
        return {
            "code": codes[own],
            "probability": finding.grid_probability,
            "edge_distance_m": finding.edge_distance_m,
            "distance_m": finding.grid_distance_m,
            "on_boundary": finding.on_boundary,
            "alternatives": [
                {"code": codes[other], "probability": share}
                for other, share in finding.shares
                if other != own and share >= LEAST_ALTERNATIVE
            ],
        }

    def _area(self, finding: Finding) -> orjson.Fragment:
        if len(self._areas) >= _KEPT:
            self._areas.clear()
        told = orjson.Fragment(orjson.dumps(tell_areas(finding)))
        self._areas[finding.areas] = told
        return told

    def _component(self, finding: Finding) -> dict[str, Any]:
        (row, distance_m, probability), *others = finding.candidates
        codes, classes, names, conditions = self._texts
        east, north = self._places
        x, y = float(east[row]), float(north[row])
        lon, lat = transform_point(x, y, source=self._crs, target=GEOGRAPHIC)
        return {
            "code": codes[row],
            "class_code": classes[row],
            "name": names[row],
            "distance_m": distance_m,
            "probability": probability,
            "condition": conditions[row],
            "lon": lon,
            "lat": lat,
            "alternatives": [
                {"code": codes[other], "distance_m": metres, "probability": share}
                for other, metres, share in others
                if share >= LEAST_ALTERNATIVE
            ],
        }

    def _owner(
        self, finding: Finding, *, persons: bool, reported_at: datetime | None
    ) -> orjson.Fragment | None:
        found = finding.resolution
        if found.unit is None:
            return None
        due = self._due(found, reported_at)
        if persons and found.level == "management_grid":
            told = tell_owner(finding)
            assert told is not None
            return orjson.Fragment(
                orjson.dumps(told if due is None else replace(told, **ending(due)))
            )
        # A resolution stays as it is; kept beside its words, its number is nobody else's.
        known = self._owners.get(id(found))
        if known is None:
            if len(self._owners) >= _KEPT:
                self._owners.clear()
            known = self._owners[id(found)] = (found, *_words_of(found))
        _, head, limit, tail = known
        others = tell_alternatives(finding)
        return orjson.Fragment(
            b"".join(
                (
                    head,
                    orjson.dumps(rule_of(finding)),
                    limit,
                    _NOT_DUE if due is None else orjson.dumps(ending(due))[1:-1],
                    tail,
                    orjson.dumps(others) if others else b"[]",
                    b"}",
                )
            )
        )

    def _due(self, found: Resolution, reported_at: datetime | None) -> Deadline | None:
        if reported_at is None or found.limit is None:
            return None
        return deadline(reported_at, found.limit, zone=self._zone, calendar=self._calendar)


def writer_of(edition: Edition) -> Writer:
    """Return the writer of an edition."""
    found: Writer = edition.kept("writer", lambda: Writer(edition))
    return found


def _words_of(found: Resolution) -> tuple[bytes, bytes, bytes]:
    """Return the members of an owner around the value of its rule, its deadline and its alternatives."""
    assert found.unit is not None
    head = {
        "unit_code": found.unit.code,
        "unit_name": found.unit.name,
        "role": found.role,
        "principle": found.principle,
    }
    tail = {
        "filing_condition": found.filing_condition,
        "closing_condition": found.closing_condition,
        "persons": (),
    }
    return (
        orjson.dumps(head)[:-1] + b',"rule":',
        b',"time_limit":' + orjson.dumps(found.limit) + b",",
        b"," + orjson.dumps(tail)[1:-1] + b',"alternatives":',
    )
