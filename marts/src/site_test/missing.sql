-- grain:  one row per enrolled subject and variable that was due
-- inputs: due
SELECT v.domain || '.' || v.test_code AS variable, d.subject_dk,
    CAST(count(*) AS DOUBLE) AS n_due, CAST(sum(d.observed) AS DOUBLE) AS n_observed
FROM due d JOIN variables v ON v.test_dk = d.test_dk
GROUP BY v.domain || '.' || v.test_code, d.subject_dk
ORDER BY variable, d.subject_dk
