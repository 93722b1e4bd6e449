-- grain:  one row per protocol deviation
-- inputs: deviation, dim_study, dim_site, dim_subject
WITH found AS (
    SELECT *, coalesce(start_date, start_min) AS on_day FROM deviation
)
SELECT
    coalesce(s.study_sk, y.study_sk, unknown()) AS study_sk,
    -- A deviation of a whole site has no subject.
    CASE WHEN dv.subject_id = '*' THEN not_applicable() ELSE coalesce(s.subject_sk, unknown()) END AS subject_sk,
    CASE WHEN dv.subject_id = '*' THEN not_applicable() ELSE coalesce(s.subject_dk, unknown()) END AS subject_dk,
    -- The log names the site where the subject is not known.
    CASE WHEN s.site_sk > 0 THEN s.site_sk ELSE coalesce(named.site_sk, s.site_sk, unknown()) END AS site_sk,
    partial_time_key(dv.start_min, dv.start_prec) AS event_time_sk,
    partial_time_key(dv.identified_min, dv.identified_prec) AS identified_time_sk,
    dv.dv_seq,
    dv.term,
    dv.category,
    dv.important,
    dv.status,
    dv.start_dtc,
    dv.start_date,
    dv.identified_date,
    dv.identified_date - dv.start_date AS detection_lag_days,
    dv.row_id AS source_row_id,
    dv.source_system
FROM found dv
LEFT JOIN participation s ON s.subject_id = dv.subject_id
    AND valid_on(s.valid_from, s.valid_to, s.is_current, dv.on_day)
LEFT JOIN dim_study y ON y.study_sk > 0 AND valid_on(y.valid_from, y.valid_to, y.is_current, dv.on_day)
LEFT JOIN dim_site named ON named.site_id = dv.site_id AND named.site_sk > 0
    AND valid_on(named.valid_from, named.valid_to, named.is_current, dv.on_day)
ORDER BY s.site_sk, s.subject_sk, dv.dv_seq, dv.row_id
