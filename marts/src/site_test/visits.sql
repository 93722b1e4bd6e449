-- grain:  one row per scheduled visit that took place on a known day
-- inputs: dim_visit, fact_visit
SELECT f.subject_dk, CAST(COALESCE(v.visit_order, 0) AS DOUBLE) AS visit_order,
    CAST(date_diff('day', DATE '1970-01-01', f.start_date) AS DOUBLE) AS day,
    CAST(f.deviation_days AS DOUBLE) AS days_from_plan
FROM fact_visit f JOIN dim_visit v ON v.visit_sk = f.visit_sk
WHERE f.occurred AND f.start_date IS NOT NULL AND v.is_scheduled
ORDER BY f.subject_dk, day, visit_order
