"""The package against the program that was installed with it, on phantoms.

``cargo xtask dist`` runs it in an environment that holds nothing but the wheel: ``python -m unittest``.
"""

import importlib.util
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import hemora


class Phantoms(unittest.TestCase):
    """Two phantom patients of a few slices, made once."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.temporary.name)
        cls.data = cls.folder / "phantoms"
        subprocess.run(
            [hemora.find_program(), "synth", str(cls.data), "--patients", "2", "--seed", "1", "--size", "96"],
            check=True,
            capture_output=True,
        )
        cls.images = cls.data / "stage_2_train"
        cls.count = len(list(cls.images.iterdir()))
        cls.labels = cls.data / "stage_2_train.csv"

    @classmethod
    def tearDownClass(cls) -> None:
        cls.temporary.cleanup()

    def test_the_program_is_the_one_of_the_wheel(self) -> None:
        if "site-packages" in hemora.__file__:
            self.assertTrue(hemora.find_program().is_relative_to(sys.prefix))
        shown = subprocess.run([sys.executable, "-m", "hemora", "--version"], capture_output=True, text=True)
        self.assertEqual(shown.stdout.split()[-1], hemora.version())

    def test_triage_gives_dictionaries_and_rows(self) -> None:
        triage = hemora.triage([self.images], engine="tract")
        self.assertIsNone(triage.out)
        self.assertEqual(len(triage.slices), self.count)
        self.assertEqual(sum(row["slices"] for row in triage.rows("studies")), self.count)
        first = [study["probabilities"]["any"] for study in triage.studies]
        self.assertEqual(first, sorted(first, reverse=True))
        for row in triage.slices:
            self.assertTrue(all(0 <= row[label] <= 1 for label in hemora.LABELS))
        if importlib.util.find_spec("pandas"):
            self.assertEqual(len(triage.to_pandas()), self.count)
        if importlib.util.find_spec("polars"):
            self.assertEqual(triage.to_polars("studies").height, len(triage.studies))

    def test_what_failed_is_named_and_the_rest_is_scored_and_measured(self) -> None:
        broken = self.folder / "broken.dcm"
        broken.write_bytes(b"DICOM it is not" * 20)
        out = self.folder / "out"
        triage = hemora.triage([self.images, broken], out=out, engine="tract", key_slices=1)
        self.assertEqual(len(triage.slices), self.count)
        self.assertIn(str(broken), [skipped["source"] for skipped in triage.skipped])
        self.assertTrue((out / "report.html").is_file())
        evaluation = hemora.evaluate(out / "result.csv", labels=self.labels, resamples=20, threshold=[0.3, 0.5])
        self.assertIn("levels", evaluation.metrics)
        self.assertIsNone(evaluation.out)

    def test_an_index_holds_every_slice(self) -> None:
        index = hemora.index(self.images, self.folder / "set.parquet", labels=self.labels)
        self.assertTrue(index.path.is_file())
        self.assertIn(f"{self.count} images", index.summary)
        self.assertFalse(index.has_failures)
        if importlib.util.find_spec("polars"):
            self.assertEqual(index.to_polars().height, self.count)

    def test_errors_are_the_words_of_the_program(self) -> None:
        with self.assertRaises(hemora.HemoraError) as failed:
            hemora.triage(self.folder / "nowhere")
        self.assertIn("nowhere", str(failed.exception))
        self.assertEqual(failed.exception.returncode, 1)
        with self.assertRaises(hemora.HemoraError) as wrong:
            hemora.triage(self.images, no_such_flag=3)
        self.assertIn("--no-such-flag", str(wrong.exception))
        self.assertEqual(wrong.exception.returncode, 2)
        with self.assertRaises(TypeError):
            hemora.triage(self.images, json=True)


if __name__ == "__main__":
    unittest.main()
