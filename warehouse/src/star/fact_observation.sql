-- grain:  one row per finding that is not a laboratory result
-- inputs: observation, dim_study, dim_site, dim_subject, dim_visit, dim_test
-- Rule R-13: the baseline is the result that the source marks, else the last one on or before the first dose; measures of
-- one test in several positions or at several time points have one each.
WITH may_be_baseline AS (
    SELECT ob.subject_id, ob.domain, ob.test_code, coalesce(ob.std_unit, '') AS std_unit,
        coalesce(ob.position, '') AS position, coalesce(ob.timepoint, '') AS timepoint,
        ob.std_value, ob.row_id, ob.ob_seq, ob.collected_date, coalesce(ob.is_baseline, false) AS is_marked
    FROM observation ob
    JOIN dim_subject s ON s.subject_id = ob.subject_id AND s.is_current
    WHERE ob.std_value IS NOT NULL
        AND (ob.is_baseline OR (ob.is_baseline IS NULL AND ob.collected_date <= coalesce(s.first_dose_date, s.ref_start_date)))
),
baselines AS (
    SELECT subject_id, domain, test_code, std_unit, position, timepoint,
        std_value AS baseline_value, row_id AS baseline_row_id
    FROM may_be_baseline
    QUALIFY row_number() OVER (
        PARTITION BY subject_id, domain, test_code, std_unit, position, timepoint
        ORDER BY is_marked DESC, collected_date DESC NULLS LAST, ob_seq DESC, row_id) = 1
)
SELECT
    coalesce(s.study_sk, unknown()) AS study_sk,
    coalesce(s.subject_sk, unknown()) AS subject_sk,
    coalesce(s.subject_dk, unknown()) AS subject_dk,
    coalesce(s.site_sk, unknown()) AS site_sk,
    coalesce(v.visit_sk, unknown()) AS visit_sk,
    coalesce(t.test_sk, unknown()) AS test_sk,
    partial_time_key(ob.collected_min, ob.collected_prec) AS time_sk,
    ob.domain,
    ob.ob_seq,
    ob.visit_num,
    ob.std_result,
    result_operator(ob.std_result) AS operator,
    ob.std_value,
    ob.std_unit,
    -- The last digit as it was written down, for digit preference.
    CASE WHEN regexp_full_match(coalesce(ob.original_result, ob.std_result), '[-+]?[0-9]+([.][0-9]+)?')
        THEN CAST(right(coalesce(ob.original_result, ob.std_result), 1) AS TINYINT) END AS last_digit,
    ob.not_done,
    coalesce(ob.is_baseline, ob.row_id = b.baseline_row_id) AS is_baseline,
    b.baseline_value,
    ob.std_value - b.baseline_value AS change_from_baseline,
    ob.position,
    ob.timepoint,
    ob.collected_date,
    ob.collected_prec AS date_prec,
    ob.day,
    ob.row_id AS source_row_id,
    ob.source_system
FROM observation ob
LEFT JOIN participation s ON s.subject_id = ob.subject_id
    AND valid_on(s.valid_from, s.valid_to, s.is_current, coalesce(ob.collected_date, ob.collected_min))
LEFT JOIN dim_test t ON t.domain = ob.domain AND t.test_code = ob.test_code AND t.specimen IS NULL
    AND (t.std_unit = ob.std_unit OR (ob.std_unit IS NULL AND t.is_default_unit))
LEFT JOIN dim_visit v ON v.visit_num = ob.visit_num
    AND valid_on(v.valid_from, v.valid_to, v.is_current, coalesce(ob.collected_date, ob.collected_min))
LEFT JOIN baselines b ON b.subject_id = ob.subject_id AND b.domain = ob.domain AND b.test_code = ob.test_code
    AND b.std_unit = coalesce(ob.std_unit, '') AND b.position = coalesce(ob.position, '')
    AND b.timepoint = coalesce(ob.timepoint, '')
ORDER BY s.site_sk, s.subject_sk, ob.domain, ob.ob_seq, ob.row_id
