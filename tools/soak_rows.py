"""What the database of a node says, for `cargo xtask soak`, as JSON: soak_rows.py FOLDER"""

import io
import json
import sqlite3
import sys
from pathlib import Path

import pydicom

database = sqlite3.connect(f"file:{Path(sys.argv[1]) / 'hemora.db'}?mode=ro", uri=True)


def counts(sql):
    return database.execute(sql).fetchone()


rows, sops = counts("SELECT count(*), count(DISTINCT sop_uid) FROM instance")
results, revisions = counts(
    "SELECT count(*), count(DISTINCT study_uid || ' ' || revision) FROM result"
)
(jobs,) = counts("SELECT count(*) FROM job")
deliveries = []
for study, revision, kind, state, payload in database.execute(
    "SELECT study_uid, revision, kind, state, payload.bytes FROM delivery"
    " LEFT JOIN payload ON payload.sha256 = delivery.payload"
):
    sop = None
    if payload is not None:
        data_set = pydicom.dcmread(io.BytesIO(payload), specific_tags=["SOPInstanceUID"])
        sop = str(data_set.SOPInstanceUID)
    row = {"study": study, "revision": revision, "kind": kind, "state": state, "sop": sop}
    deliveries.append(row)
print(
    json.dumps(
        {
            "rows": rows,
            "sops": sops,
            "results": results,
            "revisions": revisions,
            "jobs": jobs,
            "deliveries": deliveries,
        }
    )
)
