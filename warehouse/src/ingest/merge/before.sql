-- grain:  one row per record that was known at the instant of the cut: its version then
-- inputs: versions, stamp
-- The greatest version of each record is found first, by itself: a hash over texts could not be spilled.
WITH ordered AS (
    SELECT row_id, row_hash, op, source_dataset, version_order(source_extract_ts, sys_from_ts) AS version
    FROM versions
    WHERE source_extract_ts <= (SELECT extracted_at FROM stamp)
),
latest AS (
    SELECT row_id, max(version) AS version FROM ordered GROUP BY row_id
)
SELECT ordered.row_id, ordered.version, ordered.row_hash, ordered.op, ordered.source_dataset
FROM ordered JOIN latest ON latest.row_id = ordered.row_id AND latest.version = ordered.version
