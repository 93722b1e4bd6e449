-- grain:  one row per record of a kind: an adverse event, a deviation, a laboratory result with an indicator
-- inputs: fact_ae, fact_deviation, fact_lab
WITH kinds AS (
    SELECT subject_dk, 'AE.GRADE' AS variable, COALESCE(CAST(ctcae_grade AS VARCHAR), upper(severity)) AS kind FROM fact_ae
    UNION ALL
    SELECT subject_dk, 'AE.MILD',
        CASE WHEN COALESCE(CAST(ctcae_grade AS VARCHAR), upper(severity)) IN ('1', 'MILD') THEN 'Y'
            WHEN ctcae_grade IS NOT NULL OR severity IS NOT NULL THEN 'N' END
    FROM fact_ae
    UNION ALL
    SELECT subject_dk, 'AE.SERIOUS', CASE WHEN serious THEN 'Y' WHEN NOT serious THEN 'N' END FROM fact_ae
    UNION ALL
    SELECT subject_dk, 'AE.SOC', soc FROM fact_ae
    UNION ALL
    SELECT subject_dk, 'DV.CATEGORY', category FROM fact_deviation
    UNION ALL
    SELECT subject_dk, 'DV.IMPORTANT', CASE WHEN important THEN 'Y' WHEN NOT important THEN 'N' END FROM fact_deviation
    UNION ALL
    SELECT subject_dk, 'LB.INDICATOR', upper(range_indicator) FROM fact_lab
)
SELECT variable, subject_dk, kind, CAST(count(*) AS DOUBLE) AS n
FROM kinds WHERE kind IS NOT NULL
GROUP BY variable, subject_dk, kind
ORDER BY variable, subject_dk, kind
