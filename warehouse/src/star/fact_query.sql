-- grain:  one row per query in its latest state
-- inputs: query, item_value, dim_study, dim_site, dim_subject, dim_form, fact_form
WITH asked AS (
    SELECT q.*, CAST(utc(q.opened_ts) AS DATE) AS opened_date, CAST(utc(q.answered_ts) AS DATE) AS answered_date,
        CAST(utc(q.closed_ts) AS DATE) AS closed_date
    FROM query q
),
items AS (
    SELECT item_id, source_system, min(item_oid) AS named_item_oid
    FROM item_value SEMI JOIN query USING (item_id, source_system)
    GROUP BY item_id, source_system
),
-- A page that came twice is asked about once.
pages AS (
    SELECT p.form_instance_id, p.source_system, p.subject_dk, p.visit_sk, p.form_sk, f.form_oid AS page_form_oid
    FROM fact_form p JOIN dim_form f USING (form_sk)
    WHERE NOT p.is_inferred
    QUALIFY row_number() OVER (
        PARTITION BY p.form_instance_id, p.source_system, p.subject_dk ORDER BY p.source_row_id) = 1
)
SELECT
    coalesce(s.study_sk, unknown()) AS study_sk,
    coalesce(s.subject_sk, unknown()) AS subject_sk,
    coalesce(s.subject_dk, unknown()) AS subject_dk,
    coalesce(s.site_sk, unknown()) AS site_sk,
    -- A query may be about a whole subject: then no visit and no form apply.
    CASE
        WHEN p.visit_sk IS NOT NULL THEN p.visit_sk
        WHEN q.form_instance_id IS NULL THEN not_applicable()
        ELSE unknown()
    END AS visit_sk,
    CASE
        WHEN coalesce(of_item.form_sk, of_form.form_sk, p.form_sk) IS NOT NULL
            THEN coalesce(of_item.form_sk, of_form.form_sk, p.form_sk)
        WHEN coalesce(q.form_oid, q.form_instance_id, q.item_id) IS NULL THEN not_applicable()
        ELSE unknown()
    END AS form_sk,
    time_key(q.opened_date) AS opened_time_sk,
    time_key(q.answered_date) AS answered_time_sk,
    time_key(q.closed_date) AS closed_time_sk,
    q.query_id,
    q.form_instance_id,
    q.source,
    q.type,
    q.state,
    q.opened_ts,
    q.answered_ts,
    q.closed_ts,
    q.answered_date - q.opened_date AS days_to_answer,
    q.closed_date - q.answered_date AS days_to_close,
    q.age_days,
    q.age_days > 30 AS is_older_than_30_days,
    q.n_reopened,
    q.row_id AS source_row_id,
    q.source_system
FROM asked q
LEFT JOIN participation s ON s.subject_id = q.subject_id
    AND valid_on(s.valid_from, s.valid_to, s.is_current, q.opened_date)
LEFT JOIN pages p ON p.form_instance_id = q.form_instance_id AND p.source_system = q.source_system
    AND p.subject_dk = s.subject_dk
LEFT JOIN items i ON i.item_id = q.item_id AND i.source_system = q.source_system
LEFT JOIN dim_form of_item ON of_item.form_oid = coalesce(q.form_oid, p.page_form_oid)
    AND of_item.item_oid = coalesce(q.item_oid, i.named_item_oid)
LEFT JOIN dim_form of_form ON of_form.form_oid = coalesce(q.form_oid, p.page_form_oid) AND of_form.item_oid IS NULL
    AND of_form.form_sk > 0
ORDER BY s.site_sk, s.subject_sk, q.opened_ts, q.query_id, q.row_id
