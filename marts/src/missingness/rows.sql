-- grain:  one row per subject and visit that took place
-- inputs: due, dim_visit, dim_subject, dim_study, subject_treatment
-- An arm is known while the study is not blinded, and to nobody while it is.
SELECT e.subject_dk, CAST(COALESCE(p.visit_order, 0) AS DOUBLE) AS visit_order, min(p.visit) AS visit,
    min(s.site_id) AS site_id, min(CAST(j.age AS DOUBLE)) AS age,
    min(CASE WHEN y.is_blinded THEN NULL ELSE COALESCE(a.actual_arm, a.planned_arm) END) AS arm
FROM (SELECT DISTINCT subject_dk, visit_dk, site_dk FROM due WHERE came = 1) e
JOIN sites s ON s.site_dk = e.site_dk
JOIN dim_visit p ON p.visit_dk = e.visit_dk AND p.is_current
JOIN dim_subject j ON j.subject_dk = e.subject_dk AND j.is_current
LEFT JOIN dim_study y ON y.is_current
LEFT JOIN subject_treatment a ON a.subject_dk = e.subject_dk AND y.is_blinded = FALSE
GROUP BY e.subject_dk, p.visit_order
ORDER BY e.subject_dk, visit_order
