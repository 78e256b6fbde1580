"""An archive for `cargo xtask soak`: takes every object that comes, as often as it comes.

Prints its port, then a line of JSON for each object: study, class, name, and SHA-256 of the data set.
Ends when its standard input does.
"""

import hashlib
import json
import sys

from pynetdicom import AE, evt

# What Hemora makes of results.
CLASSES = (
    "1.2.840.10008.5.1.4.1.1.88.34",
    "1.2.840.10008.5.1.4.1.1.7",
    "1.2.840.10008.5.1.4.1.1.88.59",
)


def store(event):
    request = event.request
    data_set = request.DataSet.getvalue()
    line = {
        "study": str(event.dataset.StudyInstanceUID),
        "class": str(request.AffectedSOPClassUID),
        "sop": str(request.AffectedSOPInstanceUID),
        "sha256": hashlib.sha256(data_set).hexdigest(),
    }
    # One write, so that lines of two associations do not mix.
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
    return 0x0000


def main():
    archive = AE(ae_title="ARCHIVE")
    for abstract_syntax in CLASSES:
        archive.add_supported_context(abstract_syntax)
    server = archive.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, store)]
    )
    print(server.socket.getsockname()[1], flush=True)
    sys.stdin.read()
    server.shutdown()


main()
