-- grain:  one row per variable due and visit of a subject that took place
-- inputs: due, numbered, dim_visit
-- Whose visit did not take place lacks everything, which is no question of single values.
SELECT n.variable, d.subject_dk, CAST(COALESCE(p.visit_order, 0) AS DOUBLE) AS visit_order,
    CAST(max(d.observed) AS DOUBLE) AS observed, avg(d.mean_value) AS mean_value
FROM due d
JOIN numbered n ON n.test_dk = d.test_dk
JOIN dim_visit p ON p.visit_dk = d.visit_dk AND p.is_current
WHERE d.came = 1
GROUP BY n.variable, d.subject_dk, p.visit_order
