-- grain:  one row per subject of whose disposition anything is told: the relation `disposition`
-- inputs: fact_disposition
SELECT subject_dk,
    sum(CASE WHEN scope = 'STUDY' AND category = 'DISPOSITION EVENT' THEN 1 ELSE 0 END) AS n_study_told,
    sum(CASE WHEN scope = 'TREATMENT' THEN 1 ELSE 0 END) AS n_treatment_told,
    max(CASE WHEN is_leaving AND scope = 'STUDY' THEN 1 ELSE 0 END) AS left_study,
    max(CASE WHEN is_leaving AND scope = 'TREATMENT' THEN 1 ELSE 0 END) AS left_treatment,
    max(CASE WHEN is_leaving AND (decoded LIKE '%WITHDR%SUBJECT%' OR decoded LIKE '%WITHDR%CONSENT%' OR decoded LIKE '%CONSENT WITHDR%') THEN 1 ELSE 0 END) AS withdrew,
    max(CASE WHEN is_leaving AND decoded LIKE 'LOST TO FOLLOW%' THEN 1 ELSE 0 END) AS lost,
    max(CASE WHEN is_leaving AND decoded LIKE 'ADVERSE EVENT%' THEN 1 ELSE 0 END) AS left_for_ae,
    max(CASE WHEN is_leaving AND decoded LIKE '%DEATH%' THEN 1 ELSE 0 END) AS died,
    min(CASE WHEN is_leaving AND decoded LIKE '%DEATH%' THEN start_date END) AS died_date,
    sum(CASE WHEN is_leaving AND decoded NOT IN ('DISCONTINUED', 'NOT STATED') THEN 1 ELSE 0 END) AS n_reasons
FROM (
    SELECT subject_dk, scope, category, decoded, start_date,
        (category = 'DISPOSITION EVENT' AND decoded NOT IN ('COMPLETED', 'SCREEN FAILURE')) AS is_leaving
    FROM fact_disposition
) AS disposition_rows
GROUP BY subject_dk
