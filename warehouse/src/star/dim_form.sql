-- grain:  one row per EDC form
-- inputs: form_instance
SELECT
    star_key('dim_form|' || this_study() || '|' || form_oid) AS form_sk,
    this_study() AS study_id,
    form_oid
FROM form_instance
GROUP BY form_oid
ORDER BY form_oid
