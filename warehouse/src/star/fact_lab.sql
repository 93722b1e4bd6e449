-- grain:  one row per laboratory result
-- inputs: lab_result, dim_study, dim_site, dim_subject, dim_visit, dim_test
-- Rule R-13: the baseline is the result that the source marks, else the last one on or before the first dose.
WITH may_be_baseline AS (
    SELECT lb.subject_id, lb.test_code, coalesce(lb.specimen, '') AS specimen, coalesce(lb.std_unit, '') AS std_unit,
        lb.std_value, lb.row_id, lb.lb_seq, lb.collected_date, coalesce(lb.is_baseline, false) AS is_marked
    FROM lab_result lb
    JOIN dim_subject s ON s.subject_id = lb.subject_id AND s.is_current
    WHERE lb.std_value IS NOT NULL
        AND (lb.is_baseline OR (lb.is_baseline IS NULL AND lb.collected_date <= coalesce(s.first_dose_date, s.ref_start_date)))
),
baselines AS (
    SELECT subject_id, test_code, specimen, std_unit, std_value AS baseline_value, row_id AS baseline_row_id
    FROM may_be_baseline
    QUALIFY row_number() OVER (
        PARTITION BY subject_id, test_code, specimen, std_unit
        ORDER BY is_marked DESC, collected_date DESC NULLS LAST, lb_seq DESC, row_id) = 1
)
SELECT
    coalesce(s.study_sk, unknown()) AS study_sk,
    coalesce(s.subject_sk, unknown()) AS subject_sk,
    coalesce(s.subject_dk, unknown()) AS subject_dk,
    coalesce(s.site_sk, unknown()) AS site_sk,
    coalesce(v.visit_sk, unknown()) AS visit_sk,
    coalesce(t.test_sk, unknown()) AS test_sk,
    partial_time_key(lb.collected_min, lb.collected_prec) AS time_sk,
    lb.lb_seq,
    lb.visit_num,
    lb.std_result,
    coalesce(lb.operator, result_operator(lb.std_result)) AS operator,
    lb.std_value,
    lb.std_unit,
    lb.range_low,
    lb.range_high,
    CASE WHEN lb.range_high > 0 THEN lb.std_value / lb.range_high END AS x_uln,
    coalesce(lb.range_indicator,
        CASE
            WHEN lb.std_value < lb.range_low THEN 'LOW'
            WHEN lb.std_value > lb.range_high THEN 'HIGH'
            WHEN lb.std_value IS NOT NULL AND lb.range_low IS NOT NULL AND lb.range_high IS NOT NULL THEN 'NORMAL'
        END) AS range_indicator,
    lb.toxicity_grade,
    lb.toxicity_direction,
    lb.not_done,
    coalesce(lb.is_baseline, lb.row_id = b.baseline_row_id) AS is_baseline,
    b.baseline_value,
    lb.std_value - b.baseline_value AS change_from_baseline,
    lb.collected_date,
    lb.collected_prec AS date_prec,
    lb.day,
    lb.row_id AS source_row_id,
    lb.source_system
FROM lab_result lb
LEFT JOIN participation s ON s.subject_id = lb.subject_id
    AND valid_on(s.valid_from, s.valid_to, s.is_current, coalesce(lb.collected_date, lb.collected_min))
LEFT JOIN dim_test t ON t.domain = 'LB' AND t.test_code = lb.test_code
    AND t.specimen IS NOT DISTINCT FROM lb.specimen
    AND (t.std_unit = lb.std_unit OR (lb.std_unit IS NULL AND t.is_default_unit))
LEFT JOIN dim_visit v ON v.visit_num = lb.visit_num
    AND valid_on(v.valid_from, v.valid_to, v.is_current, coalesce(lb.collected_date, lb.collected_min))
LEFT JOIN baselines b ON b.subject_id = lb.subject_id AND b.test_code = lb.test_code
    AND b.specimen = coalesce(lb.specimen, '') AND b.std_unit = coalesce(lb.std_unit, '')
ORDER BY s.site_sk, s.subject_sk, lb.lb_seq, lb.row_id
