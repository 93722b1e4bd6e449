"""Makes and changes small Parquet files for the stories.

    parquet_files.py make OUT '{"AESEQ": ["number", [1, 2]], "USUBJID": ["text", ["S1", "S2"]]}'
    parquet_files.py add IN OUT COLUMN NUMBER --every 50

`make` writes the given columns; a column is a type (`text`, `number`, `list`) and its values. `add` copies a
file and adds a number to every so many known values of a column. Both print how many values they set.
"""

import argparse
import json
import sys

import pyarrow as pa
import pyarrow.parquet as pq

TYPES = {"text": pa.string(), "number": pa.float64(), "list": pa.list_(pa.int64())}


def main():
    arguments = parse_arguments()
    json.dump({"values": arguments.mode(arguments)}, sys.stdout)
    print()
    return 0


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    modes = parser.add_subparsers(required=True)
    making = modes.add_parser("make")
    making.add_argument("out")
    making.add_argument("columns", type=json.loads)
    making.set_defaults(mode=make)
    adding = modes.add_parser("add")
    adding.add_argument("file")
    adding.add_argument("out")
    adding.add_argument("column")
    adding.add_argument("number", type=float)
    adding.add_argument("--every", type=int, default=1)
    adding.set_defaults(mode=add)
    return parser.parse_args()


def make(arguments):
    columns = {name: pa.array(values, TYPES[kind]) for name, (kind, values) in arguments.columns.items()}
    pq.write_table(pa.table(columns), arguments.out)
    return sum(map(len, columns.values()))


def add(arguments):
    table = pq.read_table(arguments.file)
    values = table[arguments.column].to_pylist()
    known = [row for row, value in enumerate(values) if value is not None][::arguments.every]
    for row in known:
        values[row] += arguments.number
    field = table.schema.field(arguments.column)
    changed = pa.array(values, field.type)
    pq.write_table(table.set_column(table.schema.get_field_index(arguments.column), field, changed), arguments.out)
    return len(known)


if __name__ == "__main__":
    sys.exit(main())
