-- grain:  one row per milestone or disposition event
-- inputs: disposition, dim_subject
SELECT
    s.subject_sk,
    s.site_sk,
    ds.ds_seq,
    ds.category,
    coalesce(ds.scope, 'STUDY') AS scope,
    ds.term,
    ds.decoded,
    ds.start_dtc,
    ds.start_date,
    ds.start_day,
    ds.row_id AS source_row_id
FROM disposition ds JOIN dim_subject s USING (subject_id)
ORDER BY s.site_sk, s.subject_sk, ds.ds_seq, ds.row_id
