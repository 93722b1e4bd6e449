-- grain:  one row per finding of a visit
-- inputs: fact_observation, fact_lab
SELECT subject_dk, visit_sk, site_sk, test_sk, CASE WHEN NOT not_done AND std_result IS NOT NULL THEN 1 ELSE 0 END AS has_result,
    CASE WHEN NOT not_done THEN std_value END AS std_value
FROM fact_observation
WHERE visit_sk > 0
UNION ALL
SELECT subject_dk, visit_sk, site_sk, test_sk,
    CASE WHEN NOT not_done AND (std_result IS NOT NULL OR std_value IS NOT NULL) THEN 1 ELSE 0 END,
    CASE WHEN NOT not_done THEN std_value END
FROM fact_lab
WHERE visit_sk > 0
