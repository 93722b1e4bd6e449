-- grain:  one row per record that was known at the instant of the cut: its version then
-- inputs: versions, stamp
WITH ordered AS (
    SELECT row_id, row_hash, op, source_dataset, version_order(source_extract_ts, sys_from_ts) AS version
    FROM versions
    WHERE source_extract_ts <= (SELECT extracted_at FROM stamp)
)
SELECT
    row_id,
    max(version) AS version,
    arg_max(row_hash, version) AS row_hash,
    arg_max(op, version) AS op,
    arg_max(source_dataset, version) AS source_dataset
FROM ordered GROUP BY row_id
