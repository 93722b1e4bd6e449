-- grain:  one row per subject with a visit: the relation `visit`
-- inputs: fact_visit, dim_visit
SELECT v.subject_dk,
    sum(CASE WHEN v.occurred THEN 1 ELSE 0 END) AS n_visits,
    min(CASE WHEN v.occurred THEN v.start_date END) AS first_visit_date,
    sum(CASE WHEN d.is_required AND v.visit_repeat = 0 AND (v.occurred OR v.is_missed) THEN 1 ELSE 0 END) AS n_due,
    sum(CASE WHEN d.is_required AND v.visit_repeat = 0 AND v.is_missed THEN 1 ELSE 0 END) AS n_missed,
    sum(CASE WHEN v.window_status IN ('IN', 'EARLY', 'LATE') THEN 1 ELSE 0 END) AS n_windows,
    sum(CASE WHEN v.window_status IN ('EARLY', 'LATE') THEN 1 ELSE 0 END) AS n_outside
FROM fact_visit v JOIN dim_visit d ON d.visit_sk = v.visit_sk GROUP BY v.subject_dk
