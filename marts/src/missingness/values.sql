-- grain:  one row per variable due and visit of a subject that took place
-- inputs: due, dim_subject, dim_study, subject_treatment
-- Whose visit did not take place lacks everything, which is no question of single values. An arm is known while the
-- study is not blinded, and to nobody while it is.
SELECT v.domain, v.test_code, d.subject_dk, CAST(COALESCE(p.visit_order, 0) AS DOUBLE) AS visit_order,
    min(p.visit) AS visit, min(s.site_id) AS site_id, max(d.observed) AS observed,
    avg(d.mean_value) AS mean_value, min(CAST(j.age AS DOUBLE)) AS age,
    min(CASE WHEN y.is_blinded THEN NULL ELSE COALESCE(a.actual_arm, a.planned_arm) END) AS arm
FROM due d
JOIN variables v ON v.test_dk = d.test_dk
JOIN sites s ON s.site_dk = d.site_dk
JOIN dim_visit p ON p.visit_dk = d.visit_dk AND p.is_current
JOIN dim_subject j ON j.subject_dk = d.subject_dk AND j.is_current
LEFT JOIN dim_study y ON y.is_current
LEFT JOIN subject_treatment a ON a.subject_dk = d.subject_dk AND y.is_blinded = FALSE
WHERE d.came = 1
GROUP BY v.domain, v.test_code, d.subject_dk, p.visit_order
ORDER BY v.domain, v.test_code, d.subject_dk, p.visit_order
