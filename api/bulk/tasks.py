"""One span of a file, from its rows to the part of the output: what a worker does, wherever it runs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from api.bulk.columns import Asking
from api.bulk.lines import changed_meanwhile
from api.bulk.outputs import Output, laid_out, part_writer
from api.bulk.parts import DOUBTS, Done, appearing, note_of, state_of, write_note
from api.bulk.spans import Chunk, Source, Span, Trouble
from gis.errors import RequestError

Work = Callable[[pa.Table, datetime], pa.Table]
"""Columns to ask, and the present of rows that state no time -> answers, one per row, in order."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What all tasks of a run have in common."""

    source: Source
    path: str
    """The file that was named, which must not change; its rows may be read from a copy."""
    state: str
    """What it was like when the run began."""
    asking: Asking
    work: Work
    begun: datetime
    output: Output
    folder: str
    """Where the parts go."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One span to work on."""

    job: Job
    span: Span


def run_task(task: Task) -> Done:
    """Write the part of a span and note it; run twice it writes the same again.

    Raises
    ------
    RequestError
        The file or the folder of the parts is not here, or the file is another one than it was.
    """
    job, span = task.job, task.span
    folder = Path(job.folder)
    if not folder.is_dir():
        msg = f"The folder {folder} is not here: all workers must see it under the same path."
        raise RequestError(msg, zh=f"此处没有文件夹 {folder}：所有工作节点须以同一路径访问。")
    if state_of(Path(job.path)) != job.state:
        raise changed_meanwhile(job.path)
    troubles: list[Trouble] = []
    doubts: dict[str, int] = {}
    rows = 0
    with (
        appearing(folder / f"{span.number:06d}{job.output.part_suffix}") as path,
        part_writer(job.output, path) as writer,
    ):
        for chunk in job.source.read(span):
            answers = answered(job, chunk)
            for doubt, count in _doubts(answers).items():
                doubts[doubt] = doubts.get(doubt, 0) + count
            writer.write(laid_out(job.output, chunk.table, answers))
            troubles += chunk.troubles
            rows += chunk.table.num_rows
    if rows != span.rows:
        raise changed_meanwhile(job.path)
    done = note_of(span.number, rows, troubles, doubts=doubts)
    write_note(folder, done)
    return done


def answered(job: Job, chunk: Chunk) -> pa.Table:
    """Return the answers to the rows of a chunk; of damaged rows they say what is wrong."""
    answers = job.work(job.asking.table(chunk), job.begun)
    if chunk.troubles and {"reasons", "needs_review"} <= {*answers.column_names}:
        answers = _doubted(answers, chunk)
    return answers


def _doubts(answers: pa.Table) -> dict[str, int]:
    """Count the answers of each of `DOUBTS`; work that tells nothing of one leaves it out."""
    counts = {}
    names = set(answers.column_names)
    unlocated, review = DOUBTS
    if "location_source" in names:
        nowhere = pc.equal(answers["location_source"].cast(pa.string()), "none")
        counts[unlocated] = pc.sum(nowhere).as_py() or 0
    if "needs_review" in names:
        counts[review] = pc.sum(answers["needs_review"]).as_py() or 0
    return counts


def _doubted(answers: pa.Table, chunk: Chunk) -> pa.Table:
    """Return answers that say of damaged rows what is wrong and want them looked at."""
    words = np.full(len(answers), "", dtype=object)
    for trouble in chunk.troubles:
        words[trouble.row] = trouble.reason
    said = pa.array(words, pa.string())
    reasons = pc.fill_null(answers["reasons"], "")
    joined = pc.if_else(
        pc.and_(pc.not_equal(said, ""), pc.not_equal(reasons, "")),
        pc.binary_join_element_wise(said, reasons, ";"),
        pc.if_else(pc.equal(said, ""), reasons, said),
    )
    review = pc.or_(answers["needs_review"], pc.not_equal(said, ""))
    for name, column in (("reasons", joined), ("needs_review", review)):
        answers = answers.set_column(answers.column_names.index(name), name, column)
    return answers
