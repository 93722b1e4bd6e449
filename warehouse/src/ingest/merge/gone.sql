-- grain:  one row per record that a full cut of its dataset does not show any more
-- inputs: versions, before, staged, misfits, delivered, stamp
-- A row that was set aside is still at the source: its record stays as it was.
SELECT versions.* REPLACE (
    stamp.batch_id AS batch_id,
    stamp.extracted_at AS source_extract_ts,
    stamp.received_at AS sys_from_ts,
    'D' AS op
)
FROM versions
JOIN before ON before.row_id = versions.row_id
    AND before.version = version_order(versions.source_extract_ts, versions.sys_from_ts)
CROSS JOIN stamp
WHERE before.op <> 'D'
    AND before.source_dataset IN (SELECT dataset FROM delivered)
    AND NOT EXISTS (SELECT 1 FROM staged WHERE staged.row_id = before.row_id)
    AND NOT EXISTS (SELECT 1 FROM misfits WHERE misfits.row_id = before.row_id)
