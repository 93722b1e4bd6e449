-- grain:  one row per protocol deviation
-- inputs: deviation, dim_subject
SELECT
    s.subject_sk,
    s.site_sk,
    dv.dv_seq,
    dv.term,
    dv.category,
    dv.important,
    dv.start_dtc,
    dv.start_date,
    dv.row_id AS source_row_id
FROM deviation dv JOIN dim_subject s USING (subject_id)
ORDER BY s.site_sk, s.subject_sk, dv.dv_seq, dv.row_id
