-- grain:  one row per visit
-- inputs: dim_visit
SELECT visit_dk, CAST(COALESCE(visit_order, 0) AS DOUBLE) AS visit_order, visit FROM dim_visit WHERE is_current
