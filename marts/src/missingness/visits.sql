-- grain:  one row per record of a visit
-- inputs: fact_visit
SELECT subject_dk, visit_sk, site_sk, CASE WHEN occurred THEN 1 ELSE 0 END AS came, COALESCE(start_date, planned_date) AS due_date
FROM fact_visit
