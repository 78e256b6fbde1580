"""The commands as functions."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Union

from ._program import SOME_FAILED, HemoraError, Option, flags, run
from ._results import Evaluation, Index, Triage

#: A file or folder.
_Place = Union[str, "os.PathLike[str]"]


def triage(
    paths: _Place | Iterable[_Place],
    *,
    out: _Place | None = None,
    progress: bool = False,
    **options: Option,
) -> Triage:
    """Scores head CT: DICOM files, NIfTI volumes, pictures, folders, zip and tar archives.

    :param paths: what to read, in any order.
    :param out: folder for ``result.json``, ``result.csv`` and ``report.html``; without it nothing is kept on disk.
    :param progress: show on standard error what the program says while it works.
    :param options: flags of ``hemora triage``, such as ``model="x.hemora"``, ``threads=2``, ``all_series=True``.
    :raises HemoraError: if nothing could be scored. Files that failed while others were scored are in
        :attr:`Triage.skipped`.
    """
    _refuse(options, "json", "out")
    if out is None:
        # Nobody sees the report, and its pictures take most of its time.
        options = {"pictured_studies": 0, **options}
    with tempfile.TemporaryDirectory(prefix="hemora-") as temporary:
        folder = Path(temporary) / "out" if out is None else Path(out)
        run(["triage", *flags({"out": folder, **options}), "--", *_places(paths)], progress=progress)
        return Triage(_read(folder / "result.json"), None if out is None else folder)


def index(
    paths: _Place | Iterable[_Place],
    out: _Place,
    *,
    labels: _Place | Iterable[_Place] | None = None,
    progress: bool = False,
    **options: Option,
) -> Index:
    """Writes or brings up to date an index of CT images: a Parquet table with a row for each slice or frame.

    :param paths: images, folders and archives.
    :param out: the Parquet file.
    :param labels: label tables of the competition (``ID,Label``).
    :param progress: show on standard error what the program says while it works.
    :param options: other flags of ``hemora index``, such as ``threads=2``.
    :raises HemoraError: if there is no index; images that cannot be used are in it with their reason.
    """
    _refuse(options, "out", "labels")
    tables = [] if labels is None else _places(labels)
    made = flags({"out": out, "labels": tables, **options})
    done = run(["index", *made, "--", *_places(paths)], progress=progress)
    return Index(Path(out), done.stdout.strip(), done.returncode == SOME_FAILED)


def evaluate(
    predictions: _Place,
    *,
    labels: _Place | None = None,
    index: _Place | None = None,
    out: _Place | None = None,
    progress: bool = False,
    **options: Option,
) -> Evaluation:
    """Measures predictions against labels.

    :param predictions: ``result.csv`` of triage, a competition submission, or any CSV or Parquet with probabilities.
    :param labels: table of labels; without it those of the index or of the predictions.
    :param index: index of the slices, which :func:`index` writes.
    :param out: folder for ``metrics.json``, ``metrics.md`` and ``report.html``; without it nothing is kept on disk.
    :param progress: show on standard error what the program says while it works.
    :param options: other flags of ``hemora evaluate``, such as ``threshold=0.5``, ``model="default"``.
    :raises HemoraError: if nothing could be measured.
    """
    _refuse(options, "json", "out", "labels", "index")
    with tempfile.TemporaryDirectory(prefix="hemora-") as temporary:
        folder = Path(temporary) / "out" if out is None else Path(out)
        made = flags({"labels": labels, "index": index, "out": folder, **options})
        run(["evaluate", *made, "--", os.fspath(predictions)], progress=progress)
        return Evaluation(_read(folder / "metrics.json"), None if out is None else folder)


def _places(paths: _Place | Iterable[_Place]) -> list[str]:
    if isinstance(paths, (str, os.PathLike)):
        return [os.fspath(paths)]
    return [os.fspath(path) for path in paths]


def _refuse(options: dict[str, Option], *taken: str) -> None:
    for name in taken:
        if name in options:
            raise TypeError(f"{name} is no option here: the function sets that flag itself")


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HemoraError(f"hemora ended well, but {path} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise HemoraError(f"{path} is not a JSON object")
    return document
