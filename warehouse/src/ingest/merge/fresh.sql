-- grain:  one row per record that the cut shows for the first time, again, or with other content
-- inputs: first_rows, before
-- Which rows differ is told by their hashes alone, so that the width of a table costs only what is written.
WITH differing AS (
    SELECT first_rows.row_id, CASE WHEN before.row_id IS NULL OR before.op = 'D' THEN 'I' ELSE 'U' END AS op
    FROM first_rows LEFT JOIN before ON before.row_id = first_rows.row_id
    WHERE before.row_id IS NULL OR before.op = 'D' OR before.row_hash <> first_rows.row_hash
)
SELECT first_rows.* REPLACE (differing.op AS op)
FROM first_rows JOIN differing ON differing.row_id = first_rows.row_id
