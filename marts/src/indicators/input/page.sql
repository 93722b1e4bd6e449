-- grain:  one row per subject with a page: the relation `page`
-- inputs: fact_form, study
SELECT f.subject_dk,
    sum(CASE WHEN f.is_inferred THEN 0 ELSE 1 END) AS n_pages,
    sum(CASE WHEN NOT f.is_inferred AND f.entry_lag_days > 10 THEN 1 ELSE 0 END) AS n_late,
    sum(CASE WHEN NOT f.is_inferred AND f.entry_lag_days > 5 THEN 1 ELSE 0 END) AS n_late_5,
    sum(CASE WHEN f.entry_lag_days >= 0 AND f.event_date > s.cut_off_date - 90 THEN 1 ELSE 0 END) AS n_recent,
    sum(CASE
        WHEN f.entry_lag_days IS NULL OR f.entry_lag_days < 0 OR f.event_date IS NULL OR f.event_date <= s.cut_off_date - 90 THEN 0
        WHEN f.entry_lag_days > 60 THEN 60 ELSE f.entry_lag_days END) AS recent_lag_days,
    sum(f.n_items) AS n_points,
    sum(f.n_items_changed) AS n_changed,
    sum(f.n_items_missing) AS n_missing,
    sum(CASE WHEN f.sdv_status IN ('REQUIRED', 'PARTIAL', 'VERIFIED') THEN 1 ELSE 0 END) AS n_to_verify,
    sum(CASE WHEN f.sdv_status IN ('REQUIRED', 'PARTIAL') AND f.event_date < s.cut_off_date - 60 THEN 1 ELSE 0 END) AS n_unverified,
    sum(CASE WHEN f.status = 'SUBMITTED' THEN 1 ELSE 0 END) AS n_submitted,
    sum(CASE WHEN f.status = 'SUBMITTED' AND f.signed_ts IS NULL THEN 1 ELSE 0 END) AS n_unsigned,
    sum(CASE WHEN f.signed_ts IS NULL THEN 0 ELSE 1 END) AS n_signed
FROM fact_form f CROSS JOIN study s GROUP BY f.subject_dk
