-- grain:  one row per record of a late, older cut that a later full cut had told otherwise without a version of its own
-- inputs: fresh, versions, before, later_cuts, stamp
-- The later cut saw the record as it was before this one, and wrote nothing because nothing had changed then.
WITH untold AS (
    SELECT fresh.row_id, later_cuts.extracted_at
    FROM fresh JOIN later_cuts ON later_cuts.dataset = fresh.source_dataset
    WHERE NOT EXISTS (
        SELECT 1 FROM versions CROSS JOIN stamp
        WHERE versions.row_id = fresh.row_id
            AND versions.source_extract_ts > stamp.extracted_at
            AND versions.source_extract_ts <= later_cuts.extracted_at
    )
)
SELECT versions.* REPLACE (
    stamp.batch_id AS batch_id,
    untold.extracted_at AS source_extract_ts,
    stamp.received_at AS sys_from_ts,
    'U' AS op
)
FROM versions
JOIN before ON before.row_id = versions.row_id
    AND before.version = version_order(versions.source_extract_ts, versions.sys_from_ts)
JOIN untold ON untold.row_id = versions.row_id
CROSS JOIN stamp
WHERE before.op <> 'D'
UNION ALL BY NAME
SELECT fresh.* REPLACE (
    untold.extracted_at AS source_extract_ts,
    'D' AS op
)
FROM fresh
JOIN untold ON untold.row_id = fresh.row_id
LEFT JOIN before ON before.row_id = fresh.row_id
WHERE before.row_id IS NULL OR before.op = 'D'
