-- grain:  one row per event, and per subject and day of visits: the relation `line`
-- inputs: fact_visit, fact_ae, fact_deviation
-- Visits and events are laid on one line of time, so that each table is read once and nothing is multiplied.
SELECT subject_dk, start_min AS day, 0 AS is_visit, 1 AS ae, CASE WHEN serious THEN 1 ELSE 0 END AS sae, 0 AS pd
FROM fact_ae WHERE start_min IS NOT NULL
UNION ALL
SELECT subject_dk, start_date, 0, 0, 0, 1 FROM fact_deviation WHERE start_date IS NOT NULL
UNION ALL
SELECT DISTINCT subject_dk, start_date, 1, 0, 0, 0 FROM fact_visit WHERE occurred AND start_date IS NOT NULL
