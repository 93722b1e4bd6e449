-- grain:  one row per EDC page; points whose page is not delivered share one inferred page per subject
-- inputs: form_instance, item_value, dim_study, dim_site, dim_subject, dim_form, dim_visit
WITH items AS (
    SELECT subject_id, form_instance_id, source_system,
        count(*) AS n_items,
        count(*) FILTER (WHERE n_changes > 0) AS n_items_changed,
        CAST(sum(n_changes) AS BIGINT) AS n_changes,
        count(*) FILTER (WHERE is_null) AS n_items_missing,
        count(*) FILTER (WHERE is_null AND is_required) AS n_items_missing_required
    FROM item_value
    GROUP BY subject_id, form_instance_id, source_system
),
-- Sources without visit numbers call the visit by its name.
visit_names AS (
    SELECT visit AS event_oid, min(visit_num) AS named_visit_num
    FROM dim_visit WHERE visit_num IS NOT NULL
    GROUP BY visit HAVING count(DISTINCT visit_num) = 1
),
pages AS (
    SELECT subject_id, form_instance_id, form_oid, event_oid, coalesce(visit_num, named_visit_num) AS visit_num, event_date,
        -- A source may give the delay alone.
        coalesce(CAST(utc(first_entered_ts) AS DATE), event_date + entry_lag_days) AS entered_date,
        coalesce(entry_lag_days, CAST(utc(first_entered_ts) AS DATE) - event_date) AS entry_lag_days,
        status, sdv_status, frozen, locked, signed_ts, row_id, source_system,
        -- Points name their page by its key alone: those of a page that came twice count once.
        row_number() OVER (PARTITION BY subject_id, form_instance_id, source_system ORDER BY row_id) = 1 AS holds_items,
        false AS is_inferred
    FROM form_instance LEFT JOIN visit_names USING (event_oid)
    UNION ALL BY NAME
    SELECT subject_id, form_instance_id, source_system, true AS holds_items, true AS is_inferred
    FROM items ANTI JOIN form_instance USING (subject_id, form_instance_id, source_system)
)
SELECT
    coalesce(s.study_sk, unknown()) AS study_sk,
    coalesce(s.subject_sk, unknown()) AS subject_sk,
    coalesce(s.subject_dk, unknown()) AS subject_dk,
    coalesce(s.site_sk, unknown()) AS site_sk,
    CASE
        WHEN v.visit_sk IS NOT NULL THEN v.visit_sk
        WHEN p.is_inferred THEN inferred()
        WHEN p.event_oid IS NOT NULL THEN u.visit_sk
        ELSE unknown()
    END AS visit_sk,
    CASE WHEN p.is_inferred THEN inferred() ELSE coalesce(f.form_sk, unknown()) END AS form_sk,
    time_key(p.event_date) AS event_time_sk,
    time_key(p.entered_date) AS entered_time_sk,
    p.event_oid,
    p.visit_num,
    p.event_date,
    p.entry_lag_days,
    p.entry_lag_days > 10 AS is_entered_late,
    p.status,
    p.sdv_status,
    p.frozen,
    p.locked,
    p.signed_ts,
    p.is_inferred,
    coalesce(i.n_items, 0) AS n_items,
    coalesce(i.n_items_changed, 0) AS n_items_changed,
    coalesce(i.n_changes, 0) AS n_changes,
    coalesce(i.n_items_missing, 0) AS n_items_missing,
    coalesce(i.n_items_missing_required, 0) AS n_items_missing_required,
    p.form_instance_id,
    p.row_id AS source_row_id,
    p.source_system
FROM pages p
LEFT JOIN participation s ON s.subject_id = p.subject_id
    AND valid_on(s.valid_from, s.valid_to, s.is_current, p.event_date)
LEFT JOIN items i ON i.subject_id = p.subject_id AND i.form_instance_id = p.form_instance_id
    AND i.source_system = p.source_system AND p.holds_items
LEFT JOIN dim_form f ON f.form_oid = p.form_oid AND f.item_oid IS NULL AND f.form_sk > 0
LEFT JOIN dim_visit v ON v.visit_num = p.visit_num AND valid_on(v.valid_from, v.valid_to, v.is_current, p.event_date)
LEFT JOIN dim_visit u ON u.visit_num IS NULL AND u.visit_sk > 0
ORDER BY s.site_sk, s.subject_sk, p.event_date, p.form_instance_id, p.row_id, p.source_system
