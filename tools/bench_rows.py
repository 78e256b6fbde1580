"""Rows of delivered studies into the database of a node that does not run, for `cargo xtask bench serve`.

bench_rows.py FOLDER IMAGES: studies of 250 images, with rows only: nothing looks at the files of images
when a node starts.
"""

import hashlib
import sqlite3
import sys
import time
from pathlib import Path

OF_STUDY = 250
ROOT = "1.2.826.0.1.3680043.10.99"
SHA256 = bytes(32)

folder, images = Path(sys.argv[1]), int(sys.argv[2])
database = sqlite3.connect(folder / "hemora.db")
now = int(time.time() * 1000)


def insert(table, rows):
    names = ", ".join(rows[0])
    places = ", ".join(f":{name}" for name in rows[0])
    database.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)


def instance(number):
    study = f"{ROOT}.{number // OF_STUDY}"
    sha256 = hashlib.sha256(str(number).encode()).digest()
    return {
        "sop_uid": f"{study}.1.{number % OF_STUDY}",
        "sha256": sha256,
        "series_uid": f"{study}.1",
        "study_uid": study,
        "patient_id": f"P{number // OF_STUDY}",
        "sop_class": "1.2.840.10008.5.1.4.1.1.2",
        "transfer_syntax": "1.2.840.10008.1.2.1",
        "bytes": 525000,
        "path": f"studies/{sha256.hex()[:2]}/{sha256.hex()}",
        "received_at": now,
        "association_id": 1,
        "seq": number + 1,
    }


def study(number):
    last = min((number + 1) * OF_STUDY, images)
    count = last - number * OF_STUDY
    patient = f"P{number}"
    row = {name: "" for name in (
        "issuer_of_patient_id", "patient_birth_date", "patient_sex", "accession_number",
        "description", "study_date", "study_time", "institution",
    )}
    row |= {
        "study_uid": f"{ROOT}.{number}",
        "patient_id": patient,
        "patient_name": f"Doe^{number}",
        "search": f"doe^{number} {patient.lower()}",
        "source_ae": "CT1",
        "first_at": now,
        "last_at": now,
        "state": "delivered",
        "revision": 1,
        "settled": "quiet",
        "unsettled": 0,
        "instances": count,
        "bytes": 525000 * count,
        "result_revision": 1,
        "class": "negative",
        "probability": 0.01,
        "result_at": now,
    }
    revision = {
        "study_uid": row["study_uid"],
        "revision": 1,
        "why": "quiet",
        "at": now,
        "instances": count,
        "instance_set": SHA256,
        "last_seq": last,
    }
    result = {
        "study_uid": row["study_uid"],
        "revision": 1,
        "model_sha256": "00" * 32,
        "instance_set": SHA256,
        "class": "negative",
        "probability": 0.01,
        "json": "{}",
        "made_at": now,
    }
    return row, revision, result


with database:
    insert("instance", [instance(number) for number in range(images)])
    studies = [study(number) for number in range(-(-images // OF_STUDY))]
    for table, rows in zip(("study", "revision", "result"), zip(*studies)):
        insert(table, rows)
database.close()
