-- grain:  one row per entry of a source's audit trail that changed or removed a value; masked while the study is blinded
-- inputs: audit_event, dim_study, dim_site, dim_subject
SELECT
    coalesce(s.study_sk, unknown()) AS study_sk,
    coalesce(s.subject_sk, unknown()) AS subject_sk,
    coalesce(s.subject_dk, unknown()) AS subject_dk,
    coalesce(s.site_sk, unknown()) AS site_sk,
    a.audit_id,
    a.form_instance_id,
    a.item_id,
    a.action,
    a.old_value,
    a.new_value,
    a.reason,
    a.user_ref,
    a.user_role,
    a.occurred_ts,
    a.row_id AS source_row_id,
    a.source_system
FROM audit_event a
LEFT JOIN participation s ON s.subject_id = a.subject_id
    AND valid_on(s.valid_from, s.valid_to, s.is_current, CAST(utc(a.occurred_ts) AS DATE))
WHERE a.old_value IS NOT NULL AND a.old_value IS DISTINCT FROM a.new_value
ORDER BY s.site_sk, s.subject_sk, a.occurred_ts, a.audit_id, a.row_id
