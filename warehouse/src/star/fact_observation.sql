-- grain:  one row per finding that is not a laboratory result
-- inputs: observation, dim_subject, dim_visit, dim_test
SELECT
    s.subject_sk,
    s.site_sk,
    v.visit_sk,
    t.test_sk,
    ob.domain,
    ob.ob_seq,
    ob.visit_num,
    ob.std_result,
    ob.std_value,
    ob.std_unit,
    ob.not_done,
    ob.is_baseline,
    ob.position,
    ob.timepoint,
    ob.collected_date,
    ob.day,
    ob.row_id AS source_row_id
FROM observation ob
JOIN dim_subject s USING (subject_id)
JOIN dim_test t ON t.domain = ob.domain AND t.test_code = ob.test_code
LEFT JOIN dim_visit v ON v.visit_num = ob.visit_num
ORDER BY s.site_sk, s.subject_sk, ob.domain, ob.ob_seq, ob.row_id
