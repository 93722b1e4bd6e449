-- grain:  one row per liver test result of an enrolled subject after baseline
-- inputs: dim_subject, dim_test, fact_lab
SELECT s.subject_id, s.site_id,
    CASE WHEN t.test_code IN ('ALT', 'ALAT', 'SGPT') THEN 'ALT' WHEN t.test_code IN ('AST', 'ASAT', 'SGOT') THEN 'AST'
        WHEN t.test_code IN ('BILI', 'TBILI') THEN 'BILI' ELSE 'ALP' END AS analyte,
    CAST(date_diff('day', DATE '1970-01-01', f.collected_date) AS DOUBLE) AS day,
    CAST(f.x_uln AS DOUBLE) AS x_uln
FROM fact_lab f
JOIN dim_test t ON t.test_sk = f.test_sk
JOIN dim_subject s ON s.subject_dk = f.subject_dk AND s.is_current
WHERE s.is_enrolled AND NOT f.not_done AND NOT COALESCE(f.is_baseline, FALSE)
    AND f.collected_date IS NOT NULL AND f.x_uln >= 0 AND isfinite(f.x_uln)
    AND t.test_code IN ('ALT', 'ALAT', 'SGPT', 'AST', 'ASAT', 'SGOT', 'BILI', 'TBILI', 'ALP', 'ALKPH')
ORDER BY s.subject_id, day, analyte, x_uln
