-- grain:  one row per subject
-- inputs: dim_subject, dim_study, subject_treatment
-- An arm is known while the study is not blinded, and to nobody while it is.
SELECT j.subject_dk, min(CAST(j.age AS DOUBLE)) AS age,
    min(CASE WHEN y.is_blinded THEN NULL ELSE COALESCE(a.actual_arm, a.planned_arm) END) AS arm
FROM dim_subject j
LEFT JOIN dim_study y ON y.is_current
LEFT JOIN subject_treatment a ON a.subject_dk = j.subject_dk AND y.is_blinded = FALSE
WHERE j.is_current
GROUP BY j.subject_dk
ORDER BY j.subject_dk
