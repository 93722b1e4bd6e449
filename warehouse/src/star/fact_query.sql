-- grain:  one row per query in its latest state
-- inputs: query, dim_subject
SELECT
    s.subject_sk,
    s.site_sk,
    q.query_id,
    q.form_instance_id,
    q.source,
    q.type,
    q.state,
    q.opened_ts,
    q.answered_ts,
    q.closed_ts,
    q.age_days,
    q.n_reopened,
    q.row_id AS source_row_id
FROM query q JOIN dim_subject s USING (subject_id)
ORDER BY s.site_sk, s.subject_sk, q.opened_ts, q.query_id, q.row_id
