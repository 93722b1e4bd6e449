"""Reads the ledger of a data folder as it lies on disk, and prints every event of every log as JSON, in order.

    ledger.py DATA

It sees also the system's log, which no door shows, and it reads while a server writes.
"""

import json
import sqlite3
import sys
from pathlib import Path


def main():
    control = Path(sys.argv[1], "control").resolve()
    events = []
    for file in [control / "system.sqlite", *sorted(control.glob("tenants/*.sqlite"))]:
        connection = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=30)
        rows = connection.execute("SELECT leaf FROM audit_events ORDER BY seq").fetchall()
        connection.close()
        events += [json.loads(leaf) for (leaf,) in rows]
    json.dump(events, sys.stdout)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
