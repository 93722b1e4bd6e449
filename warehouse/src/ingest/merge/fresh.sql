-- grain:  one row per record that the cut shows for the first time, again, or with other content
-- inputs: staged, before
WITH first_rows AS (
    SELECT * FROM staged
    QUALIFY row_number() OVER (PARTITION BY row_id ORDER BY source_dataset, source_row, row_hash) = 1
)
SELECT first_rows.* REPLACE (CASE WHEN before.row_id IS NULL OR before.op = 'D' THEN 'I' ELSE 'U' END AS op)
FROM first_rows LEFT JOIN before ON before.row_id = first_rows.row_id
WHERE before.row_id IS NULL OR before.op = 'D' OR before.row_hash <> first_rows.row_hash
