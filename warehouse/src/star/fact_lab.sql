-- grain:  one row per laboratory result
-- inputs: lab_result, dim_subject, dim_visit, dim_test
SELECT
    s.subject_sk,
    s.site_sk,
    v.visit_sk,
    t.test_sk,
    lb.lb_seq,
    lb.visit_num,
    lb.std_result,
    lb.std_value,
    lb.std_unit,
    lb.range_low,
    lb.range_high,
    lb.range_indicator,
    lb.toxicity_grade,
    lb.not_done,
    lb.is_baseline,
    lb.collected_date,
    lb.day,
    lb.row_id AS source_row_id
FROM lab_result lb
JOIN dim_subject s USING (subject_id)
JOIN dim_test t ON t.domain = 'LB' AND t.test_code = lb.test_code
LEFT JOIN dim_visit v ON v.visit_num = lb.visit_num
ORDER BY s.site_sk, s.subject_sk, lb.lb_seq, lb.row_id
