-- grain:  one row, of the study as it is now: the relation `study`
-- inputs: dim_study
SELECT max(cut_off_date) AS cut_off_date FROM dim_study WHERE is_current
