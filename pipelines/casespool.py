"""Files of many cases judged part by part: what waits lies on disk, memory holds one part.

All rows of a case, its report and its steps, go to one of many parts by the hash of its identifier.
Each part is then judged as a whole delivery is: a case twice, and steps without a case, are found
wherever in the files they stand.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
import pandas as pd

from gis.faults import REJECT_COLUMNS, Outcome
from gis.remarks import Remark
from gis.sheetparts import read_sheet_parts
from gis.sheets import read_sheet
from gis.sources import FileReport
from pipelines.cases import DATASET, REPORT_COLUMNS, transform
from pipelines.context import BuildContext
from pipelines.layers import Extract, mapped, with_layer
from pipelines.reports import summarise
from pipelines.values import text_of

LARGE_BYTES = 16_000_000
"""Files of cases that are smaller together are read whole."""
PART_ROWS = 50_000
_PART_BYTES = 8_000_000
_MOST_PARTS = 4_096
_MOST_WARNINGS = 20
_KEPT = (*REPORT_COLUMNS, "steps", "source_file", "source_row")
_CSV = (".csv", ".csv.gz", ".txt", ".tsv")


@dataclass(frozen=True, kw_only=True)
class SpooledOutcome(Outcome):
    """What became of the rows of many cases; the rows themselves lie in files."""

    folder: Path
    """Where the judged parts lie, as long as the build runs."""
    numbers: tuple[int, ...]
    """Parts that have rows."""
    accepted_rows: int
    refused_rows: int
    summary: tuple[dict[str, Any], ...] = field(repr=False)
    """Faults by rule, as ``summarise`` gives them."""

    @property
    def count(self) -> int:
        """Number of rows accepted."""
        return self.accepted_rows

    @property
    def refused(self) -> int:
        """Number of rows refused."""
        return self.refused_rows

    def parts(self) -> Iterator[Outcome]:
        """Yield the outcome of each part."""
        for number in self.numbers:
            accepted = pd.read_parquet(self.folder / f"accepted-{number:04d}.parquet")
            faults = pd.read_parquet(self.folder / f"faults-{number:04d}.parquet")
            faults["record"] = [orjson.loads(record) for record in faults["record"]]
            yield Outcome(accepted=accepted, faults=faults.assign(geometry=None))


def summary_of(outcome: Outcome) -> tuple[dict[str, Any], ...]:
    """Return the faults of an outcome by rule, as ``summarise`` gives them."""
    if isinstance(outcome, SpooledOutcome):
        return outcome.summary
    return summarise(outcome.faults)


def is_large(context: BuildContext) -> bool:
    """Tell whether the delivery's files of cases are too large to be held."""
    files = [path for spec in context.delivery.layers_of(DATASET) for path in spec.files]
    return sum(path.stat().st_size for path in files) >= LARGE_BYTES


def judge_spooled(
    context: BuildContext, folder: Path, *, advance: Callable[[int], None] = lambda _: None
) -> tuple[SpooledOutcome, Extract]:
    """Judge the delivery's cases in memory for one part of them; nothing is written but to `folder`.

    Parameters
    ----------
    context : BuildContext
        The delivery and what its rows are judged against.
    folder : Path
        An empty folder; it takes about as much as the files, unpacked.
    advance : callable
        Told after each file.

    Returns
    -------
    tuple
        What became of the rows, and what reading the files found out, without the rows.

    Raises
    ------
    DeliveryError
        A file is broken, or its columns contradict.
    """
    files = [path for spec in context.delivery.layers_of(DATASET) for path in spec.files]
    count = min(max(1, sum(path.stat().st_size for path in files) // _PART_BYTES), _MOST_PARTS)
    extracted = _spread(context, folder, count=count, advance=advance)
    seen: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], Any] = {}
    numbers, accepted_rows, refused_rows = [], 0, 0
    for number in range(count):
        waiting = sorted(folder.glob(f"rows-{number:04d}-*.parquet"))
        if not waiting:
            continue
        frame = pd.concat([pd.read_parquet(path) for path in waiting], ignore_index=True)
        outcome = transform(frame, context)
        for path in waiting:
            path.unlink()
        _keep(outcome, extracted, folder, number)
        numbers.append(number)
        accepted_rows += outcome.count
        refused_rows += outcome.refused
        for entry in summarise(outcome.faults):
            key = (entry["severity"], entry["rule"])
            seen[key] += entry["rows"]
            examples.setdefault(key, entry)
    return SpooledOutcome(
        accepted=pd.DataFrame(columns=list(_KEPT)),
        faults=pd.DataFrame(columns=list(REJECT_COLUMNS)),
        folder=folder,
        numbers=tuple(numbers),
        accepted_rows=accepted_rows,
        refused_rows=refused_rows,
        summary=tuple({**examples[key], "rows": seen[key]} for key in sorted(seen)),
    ), extracted


def _spread(
    context: BuildContext, folder: Path, *, count: int, advance: Callable[[int], None]
) -> Extract:
    """Read the files and put each row to the part of its case."""
    reports: dict[str, FileReport] = {}
    unmapped: dict[str, tuple[str, ...]] = {}
    columns: dict[str, dict[str, str]] = {}
    step = 0
    for spec in context.delivery.layers_of(DATASET):
        for path in spec.files:
            name = context.delivery.source_name(spec, path)
            is_csv = path.name.lower().endswith(_CSV)
            layers = (
                read_sheet_parts(path, rows=PART_ROWS, encoding=spec.encoding)
                if is_csv
                else iter([read_sheet(path, sheet=spec.sheet)])
            )
            for layer in layers:
                mapping = mapped(layer, spec, path, {})
                told = replace(
                    layer.report, path=name, warnings=(*layer.report.warnings, *mapping.warnings)
                )
                reports[name] = _joined(reports.get(name), told)
                columns[name] = {**columns.get(name, {}), **mapping.mapped}
                unmapped[name] = tuple(dict.fromkeys((*unmapped.get(name, ()), *mapping.unmapped)))
                _write_rows(with_layer(mapping.frame, spec, name), folder, step, count=count)
                step += 1
            advance(1)
    return Extract(
        frame=pd.DataFrame(columns=["source_file", "source_row"]),
        reports=tuple(reports.values()),
        unmapped=unmapped,
        columns=columns,
    )


def _joined(known: FileReport | None, told: FileReport) -> FileReport:
    """Add what a part says to what is known of its file; equal and too many warnings are one."""
    if known is None:
        return told
    words: dict[Remark, None] = dict.fromkeys((*known.warnings, *told.warnings))
    return replace(known, rows=known.rows + told.rows, warnings=tuple(list(words)[:_MOST_WARNINGS]))


def _write_rows(frame: pd.DataFrame, folder: Path, step: int, *, count: int) -> None:
    case_ids = text_of(frame, "case_id").fillna("").to_numpy(dtype=object)
    part = pd.util.hash_array(case_ids, categorize=False) % count
    for number, rows in frame.groupby(part, sort=False):
        rows.to_parquet(folder / f"rows-{int(number):04d}-{step:06d}.parquet", index=False)


def _keep(outcome: Outcome, extracted: Extract, folder: Path, number: int) -> None:
    """Write what became of a part; refused rows under the names that their file gave the columns."""
    accepted = outcome.accepted[list(_KEPT)]
    accepted.to_parquet(folder / f"accepted-{number:04d}.parquet", index=False)
    faults = outcome.faults.drop(columns="geometry")
    records = [
        orjson.dumps(extracted.as_delivered(record, file), default=str).decode()
        for record, file in zip(faults["record"], faults["source_file"], strict=True)
    ]
    faults.assign(record=pd.Series(records, index=faults.index, dtype=object)).to_parquet(
        folder / f"faults-{number:04d}.parquet", index=False
    )
