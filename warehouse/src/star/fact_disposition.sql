-- grain:  one row per milestone or disposition event
-- inputs: disposition, dim_study, dim_site, dim_subject
SELECT
    coalesce(s.study_sk, unknown()) AS study_sk,
    coalesce(s.subject_sk, unknown()) AS subject_sk,
    coalesce(s.subject_dk, unknown()) AS subject_dk,
    coalesce(s.site_sk, unknown()) AS site_sk,
    partial_time_key(ds.start_min, ds.start_prec) AS time_sk,
    ds.ds_seq,
    ds.category,
    coalesce(ds.scope, 'STUDY') AS scope,
    ds.term,
    ds.decoded,
    ds.start_dtc,
    ds.start_date,
    ds.start_day,
    ds.row_id AS source_row_id,
    ds.source_system
FROM disposition ds
LEFT JOIN participation s ON s.subject_id = ds.subject_id
    AND valid_on(s.valid_from, s.valid_to, s.is_current, coalesce(ds.start_date, ds.start_min))
ORDER BY s.site_sk, s.subject_sk, ds.ds_seq, ds.row_id
