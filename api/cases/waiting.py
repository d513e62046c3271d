"""Decisions that give a case to nobody: it waits for a person."""

from dataclasses import replace

from api.models import Decision, TraceStep
from api.owning.owners import is_nobodys


def set_aside(step: TraceStep) -> TraceStep:
    """Return a step of a trace whose unit does not get the case after all."""
    return replace(step, outcome="rejected") if step.step.endswith("_first") else step


def waiting(decision: Decision) -> Decision:
    """Return a decision without its owner; the trace tells who was found, and is not taken.

    Who was found only because somebody has to be is left out of it, and so is the end of a time limit.
    """
    is_last = is_nobodys(decision.reasons)
    trace = [
        set_aside(step)
        for step in decision.trace
        if step.step != "deadline"
        and not (is_last and step.step.endswith("_first") and step.outcome == "accepted")
    ]
    return replace(decision, owner=None, probability=0.0, needs_review=True, trace=tuple(trace))
