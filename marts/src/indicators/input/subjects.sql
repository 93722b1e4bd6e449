-- grain:  one row per subject as it is now: the relation `current_subjects`
-- inputs: dim_subject
-- Some sources give the day of enrolment as that of consent; only a day before the subject began is judged (p11).
SELECT subject_sk, subject_dk, site_sk, site_dk,
    CASE WHEN is_screened THEN 1 ELSE 0 END AS is_screened,
    CASE WHEN is_enrolled THEN 1 ELSE 0 END AS is_enrolled,
    CASE WHEN is_screen_failure THEN 1 ELSE 0 END AS is_screen_failure,
    CASE WHEN has_died THEN 1 ELSE 0 END AS has_died,
    CASE WHEN n_criteria_broken IS NULL THEN 0 ELSE 1 END AS n_criteria_told,
    CASE WHEN consent_date < COALESCE(randomised_date, ref_start_date, first_dose_date) THEN 1 ELSE 0 END AS n_consents_told,
    n_criteria_broken, death_date, consent_date,
    COALESCE(randomised_date, ref_start_date, first_dose_date) AS began_date,
    COALESCE(days_on_study, 0) AS days_on_study
FROM dim_subject WHERE is_current
