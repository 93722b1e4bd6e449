"""Makes the ledgers of a data folder refuse events, or take them again, and prints what its databases hold as JSON.

    no_ledger.py fail DATA     # every log refuses its next event
    no_ledger.py mend DATA     # and takes it again
    no_ledger.py look DATA     # only looks

Rows are printed without what has no event: when something was used last, and what an account wants by e-mail.
"""

import json
import pathlib
import sqlite3
import sys

WITHOUT_EVENT = {"last_used_at", "mail_choice"}
FAIL = """CREATE TRIGGER no_ledger BEFORE INSERT ON audit_events
          BEGIN SELECT RAISE(ABORT, 'the ledger takes no event'); END"""


def main():
    mode, data = sys.argv[1], pathlib.Path(sys.argv[2], "control")
    files = [data / "system.sqlite", *sorted((data / "tenants").glob("*.sqlite"))]
    held = {}
    for file in files:
        connection = sqlite3.connect(file, timeout=30, isolation_level=None)
        if mode == "fail":
            connection.execute(FAIL)
        if mode == "mend":
            connection.execute("DROP TRIGGER no_ledger")
        held[file.stem] = rows(connection)
        connection.close()
    print(json.dumps(held))


def rows(connection):
    found = {}
    for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"):
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[1] not in WITHOUT_EVENT]
        listed = ", ".join(f"quote({column})" for column in columns)
        found[table] = sorted("|".join(row) for row in connection.execute(f"SELECT {listed} FROM {table}"))
    return found


main()
