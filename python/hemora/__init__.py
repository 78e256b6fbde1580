"""Runs Hemora and returns its results. For research use only: not for diagnosis.

>>> import hemora
>>> triage = hemora.triage("study/")  # doctest: +SKIP
>>> triage.studies[0]["probabilities"]["any"]  # doctest: +SKIP
"""

from ._commands import evaluate, index, triage
from ._program import HemoraError, Option, find_program, version
from ._results import (
    LABELS,
    Evaluation,
    Index,
    Probabilities,
    Series,
    Skipped,
    Slice,
    Study,
    Triage,
)

__all__ = [
    "LABELS",
    "Evaluation",
    "HemoraError",
    "Index",
    "Option",
    "Probabilities",
    "Series",
    "Skipped",
    "Slice",
    "Study",
    "Triage",
    "evaluate",
    "find_program",
    "index",
    "triage",
    "version",
]
