-- grain:  one row per enrolled subject and numeric variable
-- inputs: dim_subject, dim_test, fact_observation, fact_lab
-- What the site tests see of a subject: a number behind `<` or `>` is a limit and no value.
WITH findings AS (
    SELECT subject_dk, test_sk, std_value, last_digit FROM fact_observation WHERE NOT not_done AND operator IS NULL
    UNION ALL
    SELECT subject_dk, test_sk, std_value, CAST(NULL AS TINYINT) AS last_digit FROM fact_lab WHERE NOT not_done AND operator IS NULL
)
SELECT s.site_id, s.subject_id, t.domain || '.' || t.test_code AS variable,
    min(t.test) AS test,
    min(t.std_unit) AS unit,
    count(f.std_value) AS n_values,
    avg(f.std_value) AS mean,
    stddev_samp(f.std_value) AS standard_deviation,
    min(f.std_value) AS least,
    max(f.std_value) AS greatest,
    CAST(sum(CASE WHEN f.last_digit IN (0, 5) THEN 1 WHEN f.last_digit IS NOT NULL THEN 0 END) AS BIGINT)
        AS n_ending_in_0_or_5
FROM findings f
JOIN dim_test t ON t.test_sk = f.test_sk
JOIN dim_subject s ON s.subject_dk = f.subject_dk AND s.is_current
WHERE s.is_enrolled AND s.site_id IS NOT NULL AND f.std_value IS NOT NULL
GROUP BY s.site_id, s.subject_id, t.domain || '.' || t.test_code
ORDER BY s.site_id NULLS LAST, s.subject_id NULLS LAST, variable NULLS LAST
