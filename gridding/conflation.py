"""Conflation: of lines that run side by side the strongest stays, and the others are tied to it."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import shapely

from gridding.alongside import Ranked, run_alongside
from gridding.carriageways import to_middle
from gridding.lines import KINDS, Flags, Floats, Indices, Lines
from gridding.options import DivisionOptions
from gridding.samples import Samples, sample_strokes
from gridding.scenery import Scene
from gridding.strokes import OUTLINE, Strokes, trace_strokes
from gridding.ties import tie_ends

_ROUNDS = 30
_SHOWN = 5
"""Every how many parts of a line that was moved there is a vertex."""
_MARGIN = 1.3
_MARGIN_SHARE = 0.3
"""A stretch that runs within 1.3 reaches goes as a whole when this share of it runs within one."""

_ROADS = ("main_road", "street", "internal_road", "path")
_FRONTS = ("wall", "parcel", "green", "land_use")
_REACH: dict[tuple[tuple[str, ...], tuple[str, ...]], float] = {
    (("main_road",), ("main_road",)): 3.0,
    (("street", "internal_road", "path"), ("main_road",)): 2.5,
    (("street",), ("street",)): 2.0,
    (("internal_road",), ("street",)): 1.5,
    (("path",), ("street",)): 2.5,
    (("path",), ("internal_road",)): 1.5,
    (("railway",), ("railway",)): 2.5,
    (_FRONTS, ("main_road",)): 4.0,
    (_FRONTS, ("street",)): 2.5,
    (_FRONTS, ("internal_road",)): 1.5,
    (_FRONTS, ("water", "railway")): 2.0,
    (("parcel", "green", "land_use"), ("parcel", "green", "land_use")): 0.5,
    (_ROADS, ("outline", "locked")): 1.5,
    (("path", *_FRONTS), ("outline", "locked")): 2.0,
    (tuple(KINDS), ("existing",)): 1.0 / 3.0,
}
"""Weaker kinds, stronger kinds: how far apart they count as one, in multiples of ``conflation_m``; else 1."""
_FIXED = (KINDS.index("locked"), KINDS.index("existing"))


def conflate(land: shapely.Polygon, scene: Scene, *, options: DivisionOptions) -> Lines:
    """Return the lines of a scene, each street, bank or front once, tied together.

    Parts of a line that run along a stronger one within ``conflation_m``, or a multiple of it for kinds
    that belong together, are dropped; lines that cross stay. The outline of the land is the strongest
    line and is not returned. Between equals the longer stroke stays. Loose ends are led on to the
    next line where one is near. Locked and existing lines stay as they are.

    Parameters
    ----------
    land : shapely.Polygon
        One piece of a community, metres, on the precision grid.
    scene : Scene
        What touches the land.
    options : DivisionOptions
        ``conflation_m`` and the precision grid.
    """
    reach_m = max(_REACH.values()) * options.conflation_m
    lines = _clipped(scene.lines, land, reach_m)
    rings = shapely.get_parts(shapely.boundary(land))
    strokes = trace_strokes(lines, rings, precision_m=options.precision_m)
    samples = sample_strokes(strokes)
    pairs = _beside(strokes, samples, options)
    kept, price, apart_m = _judged(strokes, samples, pairs)
    kept = _smoothed(samples, kept, options.conflation_m) & (strokes.kind[samples.stroke] >= 0)
    twin = ~pairs.on_outline[pairs.weak]
    before = (samples.start + samples.stop) / 2.0
    samples, moved = to_middle(
        samples,
        strokes.kind[samples.stroke],
        kept=kept,
        weak=pairs.weak[twin],
        strong=pairs.strong[twin],
    )
    shown = samples.is_vertex | (moved & (np.arange(len(moved)) % _SHOWN == 0))
    found = _pieces(strokes, samples, kept, price, shown=shown, precision_m=options.precision_m)
    inside = np.sort(shapely.STRtree(found.lines).query(land, predicate="intersects"))
    apart_m += np.hypot(*((samples.start + samples.stop) / 2.0 - before).T)
    gone = (~kept & (strokes.kind[samples.stroke] >= 0)) | (kept & moved)
    return tie_ends(
        found.take(inside),
        land,
        scene.buildings,
        gaps=np.column_stack([before, apart_m])[gone],
        options=options,
    )


def _clipped(lines: Lines, land: shapely.Polygon, reach_m: float) -> Lines:
    """Return lines without what lies far outside the bounds of the land."""
    west, south, east, north = shapely.bounds(land)
    west, south, east, north = west - reach_m, south - reach_m, east + reach_m, north + reach_m
    bounds = shapely.bounds(lines.lines)
    far = (bounds[:, :2] < [west, south]).any(axis=1) | (bounds[:, 2:] > [east, north]).any(axis=1)
    shapes = lines.lines.copy()
    shapes[far] = shapely.clip_by_rect(shapes[far], west, south, east, north)
    parts, row = shapely.get_parts(shapes, return_index=True)
    is_line = shapely.length(parts) > 0
    found = lines.take(row[is_line])
    return Lines(lines=parts[is_line], kind=found.kind, rank=found.rank, price=found.price)


@dataclass(frozen=True, kw_only=True)
class _Beside:
    """Pairs of a weaker sample and a stronger one that runs beside it."""

    weak: Indices
    strong: Indices
    apart_m: Floats
    is_near: Flags
    """Within the reach of their kinds; else within 1.3 times of it."""
    is_lasting: Flags
    """Whether the weaker goes even where the stronger goes for a third: a front along a street."""
    on_outline: Flags
    """Which samples run along the outline of the land."""


def _judged(strokes: Strokes, samples: Samples, found: _Beside) -> tuple[Flags, Floats, Floats]:
    """Return which samples stay, their price, and how far each is from what runs beside it.

    A sample goes where a stronger one that stays runs beside it. What stays takes the best price of
    what it covers.
    """
    kept = np.ones(len(samples.stroke), dtype=bool)
    for _ in range(_ROUNDS):
        covered = np.zeros(len(kept), dtype=bool)
        covered[found.weak[found.is_near & (found.is_lasting | kept[found.strong])]] = True
        if (covered == ~kept).all():
            break
        kept = ~covered
    beside = ~kept
    beside[found.weak[found.is_lasting | kept[found.strong]]] = True
    run, *_ = _runs(samples.stroke, beside)
    share = np.bincount(run, samples.length_m * ~kept) / np.bincount(run, samples.length_m)
    kept &= ~(beside & (share[run] >= _MARGIN_SHARE))
    counts = kept[found.strong] & ~kept[found.weak]
    price = strokes.price[samples.stroke]
    np.minimum.at(price, found.strong[counts], price[found.weak[counts]])
    price = np.where(
        strokes.kind[samples.stroke] == _FIXED[0], strokes.price[samples.stroke], price
    )
    nearest = np.full(len(kept), np.inf)
    np.minimum.at(nearest, found.weak, found.apart_m)
    return kept, price, np.where(np.isfinite(nearest), nearest, 0.0)


def _beside(strokes: Strokes, samples: Samples, options: DivisionOptions) -> _Beside:
    """Return what runs beside what."""
    kind = strokes.kind[samples.stroke]
    reach_m = _MARGIN * _reaches() * options.conflation_m
    place = _precedence(strokes, samples)[samples.stroke]
    may_go = np.flatnonzero(~np.isin(kind, (*_FIXED, OUTLINE)))
    ranked = Ranked(samples=samples, kind=kind, order=place)
    outer = _rated(run_alongside(ranked, may_go, [OUTLINE], reach_m), kind, reach_m)
    on_outline = np.zeros(len(kind), dtype=bool)
    on_outline[outer.weak[outer.is_near]] = True
    # Of two equals the one along the outline stays the stronger: the outline stands for it.
    rank = strokes.rank[samples.stroke]
    order = (2 * rank + on_outline) * (1 + len(strokes.kind)) + place
    kinds = [number for number in np.unique(kind).tolist() if number != OUTLINE]
    ranked = ranked._replace(order=order)
    inner = _rated(run_alongside(ranked, may_go, kinds, reach_m), kind, reach_m)
    return _Beside(
        weak=np.concatenate([outer.weak, inner.weak]),
        strong=np.concatenate([outer.strong, inner.strong]),
        apart_m=np.concatenate([outer.apart_m, inner.apart_m]),
        is_near=np.concatenate([outer.is_near, inner.is_near]),
        is_lasting=np.concatenate([outer.is_lasting, inner.is_lasting | on_outline[inner.strong]]),
        on_outline=on_outline,
    )


def _rated(found: tuple[Indices, Indices, Floats], kind: Indices, reach_m: Floats) -> _Beside:
    """Return pairs with what the kinds of the two say of them."""
    weak, strong, apart_m = found
    limit = reach_m[kind[weak], kind[strong]]
    fronts = [KINDS.index(name) for name in _FRONTS]
    return _Beside(
        weak=weak,
        strong=strong,
        apart_m=apart_m,
        is_near=apart_m <= limit / _MARGIN,
        is_lasting=np.isin(kind[weak], fronts) & ~np.isin(kind[strong], fronts),
        on_outline=np.zeros(len(kind), dtype=bool),
    )


def _precedence(strokes: Strokes, samples: Samples) -> Indices:
    """Return a number for every stroke: the higher of two stays."""
    count = len(strokes.kind)
    length = np.round(np.bincount(samples.stroke, samples.length_m, minlength=count), 2)
    order = np.lexsort((-np.arange(count), length, strokes.rank))
    place = np.empty(count, dtype=np.intp)
    place[order] = np.arange(count)
    return place


@cache
def _reaches() -> Floats:
    """Return the reach of every weaker kind (row) beside every stronger kind; the last is the outline."""
    names = (*KINDS, "outline")
    table = np.ones((len(names), len(names)))
    for (weaker, stronger), factor in _REACH.items():
        rows = [names.index(name) for name in weaker]
        columns = [names.index(name) for name in stronger]
        table[np.ix_(rows, columns)] = factor
    return table


def _smoothed(samples: Samples, kept: Flags, conflation_m: float) -> Flags:
    """Drop short remains between dropped parts, then restore short drops: a crossing, a bend."""
    for state, inner_m, end_m in ((True, 2.5, 1.0), (False, 2.0, 2.0)):
        run, first, _ = _runs(samples.stroke, kept)
        length_m = np.bincount(run, samples.length_m)
        stroke = samples.stroke[first]
        begins = np.diff(stroke, prepend=-1) != 0
        ends = np.diff(stroke, append=-1) != 0
        limit_m = np.where(begins | ends, end_m, inner_m) * conflation_m
        turned = (kept[first] == state) & (length_m < limit_m) & ~(begins & ends)
        kept = np.where(turned[run], ~kept, kept)
    return kept


def _runs(*keys: Floats | Indices | Flags) -> tuple[Indices, Indices, Indices]:
    """Return the number of the run of equal keys at each place, and first and last place of each run."""
    new = np.zeros(len(keys[0]), dtype=bool)
    new[:1] = True
    for key in keys:
        new[1:] |= key[1:] != key[:-1]
    first = np.flatnonzero(new)
    return np.cumsum(new) - 1, first, np.append(first[1:], len(new))[: len(first)] - 1


def _pieces(
    strokes: Strokes,
    samples: Samples,
    kept: Flags,
    price: Floats,
    *,
    shown: Flags,
    precision_m: float,
) -> Lines:
    """Return what is kept as lines, with their own vertices and those where they were cut."""
    rows = np.flatnonzero(kept)
    stroke = samples.stroke[rows]
    # A gap in the rows starts a new run, as a new stroke or price does.
    run, first, last = _runs(stroke, price[rows], rows - np.arange(len(rows)))
    begins = np.zeros(len(rows), dtype=bool)
    begins[first] = True
    shown = begins | shown[rows]
    points = np.concatenate([samples.start[rows[shown]], samples.stop[rows[last]]])
    owner = np.concatenate([run[shown], np.arange(len(first))])
    order = np.argsort(owner, kind="stable")
    points = np.round(points[order] / precision_m) * precision_m
    lines = shapely.linestrings(points, indices=owner[order]) if len(first) else np.zeros(0, object)
    source = stroke[first]
    return Lines(
        lines=lines, kind=strokes.kind[source], rank=strokes.rank[source], price=price[rows[first]]
    )
