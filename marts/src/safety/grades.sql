-- grain:  one row per grade of adverse events of enrolled subjects
-- inputs: dim_subject, fact_ae
SELECT COALESCE(CAST(f.ctcae_grade AS VARCHAR), 'NOT GRADED') AS grade,
    count(*) AS n_events,
    count(DISTINCT f.subject_dk) AS n_subjects,
    CAST(sum(CASE WHEN f.serious THEN 1 ELSE 0 END) AS BIGINT) AS n_serious,
    CAST(sum(CASE WHEN f.is_related THEN 1 ELSE 0 END) AS BIGINT) AS n_related,
    CAST(sum(CASE WHEN f.serious THEN 1 ELSE 0 END) AS DOUBLE) / CAST(count(*) AS DOUBLE) AS share_serious
FROM fact_ae f JOIN dim_subject s ON s.subject_dk = f.subject_dk AND s.is_current
WHERE s.is_enrolled
GROUP BY COALESCE(CAST(f.ctcae_grade AS VARCHAR), 'NOT GRADED')
ORDER BY grade NULLS LAST
