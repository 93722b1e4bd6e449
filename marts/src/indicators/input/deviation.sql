-- grain:  one row per subject with a deviation: the relation `deviation`
-- inputs: fact_deviation
SELECT subject_dk, count(*) AS n_deviations,
    sum(CASE WHEN important THEN 1 ELSE 0 END) AS n_important,
    sum(CASE WHEN NOT important THEN 1 ELSE 0 END) AS n_not_important,
    max(CASE WHEN important AND (words LIKE '%INCLUSION%' OR words LIKE '%EXCLUSION%' OR words LIKE '%ELIGIB%') THEN 1 ELSE 0 END) AS ineligible,
    max(CASE WHEN words LIKE '%DOSE%' OR words LIKE '%DOSING%' OR words LIKE '%STUDY TREATMENT%' OR words LIKE '%STUDY DRUG%' THEN 1 ELSE 0 END) AS misdosed,
    max(CASE WHEN words LIKE '%CONSENT%' THEN 1 ELSE 0 END) AS consent_defect,
    max(CASE WHEN words LIKE '%PROHIBITED%' OR words LIKE '%DISALLOWED%' OR words LIKE '%CONCOMITANT%' THEN 1 ELSE 0 END) AS prohibited
FROM (
    SELECT subject_dk, important, upper(COALESCE(category, '') || ' ' || COALESCE(term, '')) AS words FROM fact_deviation
) AS deviation_rows
GROUP BY subject_dk
