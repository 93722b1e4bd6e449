-- grain:  one row per record of the delivery: the first, where its key is repeated
-- inputs: staged
SELECT * FROM staged
QUALIFY row_number() OVER (PARTITION BY row_id ORDER BY source_dataset, source_row, row_hash) = 1
