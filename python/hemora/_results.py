"""What the program found, as dictionaries and as tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:
    import pandas
    import polars

#: The labels, in the order of every table.
LABELS = ("epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural", "any")


class Probabilities(TypedDict):
    """The probability of each label, 0 to 1."""

    epidural: float
    intraparenchymal: float
    intraventricular: float
    subarachnoid: float
    subdural: float
    any: float


class _Slice(TypedDict):
    sop_instance_uid: str
    source: str
    probabilities: Probabilities


class Slice(_Slice, total=False):
    """A slice. ``z_mm`` is its place along the stack, ``regions`` where the network sees a label."""

    z_mm: float | None
    regions: list[dict[str, Any]]


class _Series(TypedDict):
    series_instance_uid: str
    probabilities: Probabilities
    acquisition: dict[str, Any]
    slices: list[Slice]
    warnings: list[str]


class Series(_Series, total=False):
    """A series that was scored."""

    description: str | None


class _Study(TypedDict):
    study_instance_uid: str
    patient_id: str
    probabilities: Probabilities
    flags: list[dict[str, Any]]
    series: list[Series]
    warnings: list[str]


class Study(_Study, total=False):
    """A study; ``certainty`` is there where the model knows how sure it may be."""

    certainty: list[dict[str, Any]]


class Skipped(TypedDict):
    """A file that was not used. ``failed``: it should have been readable."""

    source: str
    reason: str
    failed: bool


@dataclass(frozen=True)
class Triage:
    """What ``hemora triage`` found."""

    #: ``result.json`` (`schemas/result-1.schema.json`).
    result: dict[str, Any]
    #: Folder of ``result.json``, ``result.csv`` and ``report.html``; ``None`` where none was asked for.
    out: Path | None

    @property
    def studies(self) -> list[Study]:
        """The studies, most suspicious first."""
        studies: list[Study] = self.result["studies"]
        return studies

    @property
    def skipped(self) -> list[Skipped]:
        """The files that were not used, with the reason."""
        skipped: list[Skipped] = self.result["skipped"]
        return skipped

    @property
    def slices(self) -> list[dict[str, Any]]:
        """A flat row for each slice: UIDs, file, place in mm, and the six probabilities."""
        return [
            {
                "study_instance_uid": study["study_instance_uid"],
                "series_instance_uid": series["series_instance_uid"],
                "sop_instance_uid": one["sop_instance_uid"],
                "source": one["source"],
                "z_mm": one.get("z_mm"),
                **one["probabilities"],
            }
            for study in self.studies
            for series in study["series"]
            for one in series["slices"]
        ]

    def rows(self, table: Literal["slices", "studies"] = "slices") -> list[dict[str, Any]]:
        """The rows of :meth:`to_pandas` and :meth:`to_polars`."""
        if table == "slices":
            return self.slices
        if table != "studies":
            raise ValueError(f"table is {table!r}: it must be 'slices' or 'studies'")
        return [
            {
                "study_instance_uid": study["study_instance_uid"],
                "patient_id": study["patient_id"],
                "slices": sum(len(series["slices"]) for series in study["series"]),
                **study["probabilities"],
            }
            for study in self.studies
        ]

    def to_pandas(self, table: Literal["slices", "studies"] = "slices") -> pandas.DataFrame:
        """A row for each slice or study, as a pandas frame; needs pandas."""
        import pandas

        return pandas.DataFrame(self.rows(table))

    def to_polars(self, table: Literal["slices", "studies"] = "slices") -> polars.DataFrame:
        """A row for each slice or study, as a Polars frame; needs polars."""
        import polars

        return polars.DataFrame(self.rows(table), infer_schema_length=None)


@dataclass(frozen=True)
class Index:
    """An index that ``hemora index`` wrote."""

    #: The Parquet file.
    path: Path
    #: What the program counted, a sentence a line.
    summary: str
    #: Whether images cannot be used; they are in the index with their reason.
    has_failures: bool

    def to_pandas(self) -> pandas.DataFrame:
        """A row for each slice or frame; needs pandas and pyarrow."""
        import pandas

        return pandas.read_parquet(self.path)

    def to_polars(self) -> polars.DataFrame:
        """A row for each slice or frame; needs polars."""
        import polars

        return polars.read_parquet(self.path)


@dataclass(frozen=True)
class Evaluation:
    """What ``hemora evaluate`` measured."""

    #: ``metrics.json`` (`schemas/metrics-1.schema.json`).
    metrics: dict[str, Any]
    #: Folder of ``metrics.json``, ``metrics.md`` and ``report.html``; ``None`` where none was asked for.
    out: Path | None
