-- grain:  one row per subject with a result
-- inputs: fact_lab, fact_observation
-- Grouped twice: what is asked of a result has few answers, and so few groups hold all results of a subject.
-- Samples for pharmacokinetics (PC) are counted apart, and accountability of drugs (DA) is no assessment.
WITH lab_results AS (
    SELECT subject_dk, toxicity_grade,
        CASE WHEN not_done OR (std_value IS NULL AND std_result IS NULL) THEN 1 ELSE 0 END AS is_empty
    FROM fact_lab
),
lab AS (
    SELECT subject_dk, toxicity_grade, is_empty, count(*) AS n
    FROM lab_results GROUP BY subject_dk, toxicity_grade, is_empty
),
findings AS (
    SELECT subject_dk, domain, CASE WHEN not_done THEN 0 ELSE 1 END AS was_done,
        CASE WHEN not_done OR (std_value IS NULL AND std_result IS NULL) THEN 1 ELSE 0 END AS is_empty
    FROM fact_observation
),
finding AS (
    SELECT subject_dk, domain, was_done, is_empty, count(*) AS n
    FROM findings GROUP BY subject_dk, domain, was_done, is_empty
),
counted AS (
    SELECT subject_dk, n AS n_assessments, n * is_empty AS n_empty,
        CASE WHEN toxicity_grade BETWEEN 0 AND 4 THEN n ELSE 0 END AS n_graded,
        CASE WHEN toxicity_grade IN (3, 4) THEN n ELSE 0 END AS n_grade_3_4,
        0 AS n_samples_due, 0 AS n_samples
    FROM lab
    UNION ALL
    SELECT subject_dk,
        CASE WHEN domain IN ('PC', 'DA') THEN 0 ELSE n END,
        CASE WHEN domain IN ('PC', 'DA') THEN 0 ELSE n * is_empty END,
        0, 0,
        CASE WHEN domain = 'PC' THEN n ELSE 0 END,
        CASE WHEN domain = 'PC' THEN n * was_done ELSE 0 END
    FROM finding
)
SELECT subject_dk,
    CAST(sum(n_assessments) AS BIGINT) AS n_assessments,
    CAST(sum(n_empty) AS BIGINT) AS n_empty,
    CAST(sum(n_graded) AS BIGINT) AS n_graded,
    CAST(sum(n_grade_3_4) AS BIGINT) AS n_grade_3_4,
    CAST(sum(n_samples_due) AS BIGINT) AS n_samples_due,
    CAST(sum(n_samples) AS BIGINT) AS n_samples
FROM counted GROUP BY subject_dk
ORDER BY subject_dk NULLS LAST
