-- grain:  one row per laboratory test, scale, state at baseline and worst state after it
-- inputs: dim_subject, dim_test, fact_lab
-- By the limits of the laboratory, and by toxicity grade. Somebody without a later result has the worst state MISSING, and
-- somebody without a baseline that state at baseline.
WITH results AS (
    SELECT t.test_code, f.subject_dk, f.is_baseline, f.range_indicator, f.toxicity_grade, f.collected_date
    FROM fact_lab f
    JOIN dim_test t ON t.test_sk = f.test_sk
    JOIN dim_subject s ON s.subject_dk = f.subject_dk AND s.is_current
    WHERE s.is_enrolled AND NOT f.not_done
),
baselines AS (
    SELECT test_code, subject_dk, min(collected_date) AS baseline_date,
        max(CASE WHEN range_indicator LIKE 'LOW%' THEN 1 ELSE 0 END) AS low,
        max(CASE WHEN range_indicator LIKE 'HIGH%' THEN 1 ELSE 0 END) AS high,
        count(range_indicator) AS n_ranged, max(toxicity_grade) AS grade
    FROM results WHERE is_baseline GROUP BY test_code, subject_dk
),
later AS (
    SELECT r.test_code, r.subject_dk,
        max(CASE WHEN r.range_indicator LIKE 'LOW%' THEN 1 ELSE 0 END) AS low,
        max(CASE WHEN r.range_indicator LIKE 'HIGH%' THEN 1 ELSE 0 END) AS high,
        count(r.range_indicator) AS n_ranged, max(r.toxicity_grade) AS grade
    FROM results r
    LEFT JOIN baselines b ON b.test_code = r.test_code AND b.subject_dk = r.subject_dk
    WHERE NOT COALESCE(r.is_baseline, FALSE)
        AND (b.baseline_date IS NULL OR r.collected_date IS NULL OR r.collected_date > b.baseline_date)
    GROUP BY r.test_code, r.subject_dk
),
members AS (
    SELECT DISTINCT test_code, subject_dk FROM results
),
states AS (
    SELECT m.test_code, 'range' AS scale,
        CASE WHEN COALESCE(b.n_ranged, 0) = 0 THEN 'MISSING' WHEN b.low = 1 AND b.high = 1 THEN 'LOW AND HIGH'
            WHEN b.low = 1 THEN 'LOW' WHEN b.high = 1 THEN 'HIGH' ELSE 'NORMAL' END AS baseline,
        CASE WHEN COALESCE(l.n_ranged, 0) = 0 THEN 'MISSING' WHEN l.low = 1 AND l.high = 1 THEN 'LOW AND HIGH'
            WHEN l.low = 1 THEN 'LOW' WHEN l.high = 1 THEN 'HIGH' ELSE 'NORMAL' END AS worst
    FROM members m
    LEFT JOIN baselines b ON b.test_code = m.test_code AND b.subject_dk = m.subject_dk
    LEFT JOIN later l ON l.test_code = m.test_code AND l.subject_dk = m.subject_dk
    UNION ALL
    SELECT m.test_code, 'grade',
        COALESCE('GRADE ' || CAST(b.grade AS VARCHAR), 'MISSING'), COALESCE('GRADE ' || CAST(l.grade AS VARCHAR), 'MISSING')
    FROM members m
    JOIN (SELECT DISTINCT test_code FROM results WHERE toxicity_grade IS NOT NULL) AS g ON g.test_code = m.test_code
    LEFT JOIN baselines b ON b.test_code = m.test_code AND b.subject_dk = m.subject_dk
    LEFT JOIN later l ON l.test_code = m.test_code AND l.subject_dk = m.subject_dk
)
SELECT test_code, scale, baseline, worst, count(*) AS n_subjects
FROM states
GROUP BY test_code, scale, baseline, worst
ORDER BY test_code NULLS LAST, scale NULLS LAST, baseline NULLS LAST, worst NULLS LAST
