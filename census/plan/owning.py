"""Where two plans name different owners."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from census.plan.chains import Chain
from census.plan.coverage import Answer, Coverage
from census.plan.findings import Regions, by_major
from census.plan.moments import Condition


@dataclass(frozen=True, kw_only=True)
class OwnerChange:
    """A class whose owner another plan changes."""

    kind: str
    classes: tuple[str, ...]
    """Minor classes, or major ones where all of their minor classes change alike."""
    areas: tuple[str, ...]
    """The largest areas that consist of places concerned."""
    before: str
    """Unit; empty: nobody, so that the territorial unit answers."""
    after: str
    times: tuple[Condition, ...]


def compare(
    before: Coverage, after: Coverage, *, current: Mapping[str, str], places: Sequence[Chain]
) -> list[OwnerChange]:
    """Return what another plan changes; both were judged over the same places and moments.

    Parameters
    ----------
    before, after : Coverage
        The two plans.
    current : mapping
        Unit -> unit that answers for it today; units that are not in it answer themselves.
    places : sequence of Chain
        The places, as they are told.
    """
    found: dict[tuple[str, str, str, int, tuple[int, ...]], list[str]] = {}
    known: dict[tuple[Answer, Answer], dict[tuple[str, str], int]] = {}
    for (kind, code), column in after.table.items():
        concerned: dict[tuple[str, str, int], list[int]] = {}
        for place, (old, new) in enumerate(zip(before.table[kind, code], column, strict=True)):
            pair = (before.answers[old], after.answers[new])
            if pair not in known:
                known[pair] = _differences(*pair, full=after.moments.full, current=current)
            for (was, now), bits in known[pair].items():
                concerned.setdefault((was, now, bits), []).append(place)
        for (was, now, bits), members in concerned.items():
            found.setdefault((kind, was, now, bits, tuple(members)), []).append(code)
    regions = Regions(places)
    changes = [
        OwnerChange(
            kind=kind,
            classes=tuple(n for names in by_major(codes, after.classes[kind]) for n in names),
            areas=regions.cover(members),
            before=was,
            after=now,
            times=tuple(after.moments.told(bits)),
        )
        for (kind, was, now, bits, members), codes in found.items()
    ]
    return sorted(changes, key=lambda c: (c.kind, c.classes, c.areas, c.before, c.after))


def _differences(
    old: Answer, new: Answer, *, full: int, current: Mapping[str, str]
) -> dict[tuple[str, str], int]:
    result: dict[tuple[str, str], int] = {}
    for bits, was in _whole(old, full, current):
        for others, now in _whole(new, full, current):
            if was != now and bits & others:
                result[was, now] = result.get((was, now), 0) | (bits & others)
    return result


def _whole(answer: Answer, full: int, current: Mapping[str, str]) -> Iterable[tuple[int, str]]:
    """Yield moments and owner of an answer; they make up all moments."""
    yield from ((bits, current.get(unit, unit)) for bits, unit, _ in answer.owners)
    if answer.open_bits & full:
        yield answer.open_bits, ""
