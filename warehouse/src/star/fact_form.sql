-- grain:  one row per EDC page; points whose page is not delivered share one inferred page per subject
-- inputs: form_instance, item_value, dim_subject, dim_form
WITH items AS (
    SELECT subject_id, form_instance_id,
        count(*) AS n_items,
        count(*) FILTER (WHERE n_changes > 0) AS n_items_changed,
        CAST(sum(n_changes) AS BIGINT) AS n_changes,
        count(*) FILTER (WHERE is_null) AS n_items_missing
    FROM item_value
    GROUP BY subject_id, form_instance_id
),
pages AS (
    SELECT subject_id, form_instance_id, form_oid, event_oid, visit_num, event_date, entry_lag_days, row_id,
        false AS is_inferred
    FROM form_instance
    UNION ALL BY NAME
    SELECT subject_id, form_instance_id, true AS is_inferred
    FROM items ANTI JOIN form_instance USING (subject_id, form_instance_id)
)
SELECT
    s.subject_sk,
    s.site_sk,
    f.form_sk,
    p.event_oid,
    p.visit_num,
    p.event_date,
    p.entry_lag_days,
    p.is_inferred,
    coalesce(i.n_items, 0) AS n_items,
    coalesce(i.n_items_changed, 0) AS n_items_changed,
    coalesce(i.n_changes, 0) AS n_changes,
    coalesce(i.n_items_missing, 0) AS n_items_missing,
    p.form_instance_id,
    p.row_id AS source_row_id
FROM pages p
JOIN dim_subject s USING (subject_id)
LEFT JOIN items i ON i.subject_id = p.subject_id AND i.form_instance_id = p.form_instance_id
LEFT JOIN dim_form f ON f.form_oid = p.form_oid
ORDER BY s.site_sk, s.subject_sk, p.event_date, p.form_instance_id, p.row_id
