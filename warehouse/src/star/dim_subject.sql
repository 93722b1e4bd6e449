-- grain:  one row per subject, screened or later; subjects that only other records name are inferred
-- inputs: subject, visit, adverse_event, lab_result, observation, deviation, disposition, form_instance, item_value, query
-- Arms are not here: while a study may be blinded they need a scope of their own (rule R-20).
WITH named AS (
    SELECT subject_id FROM visit
    UNION SELECT subject_id FROM adverse_event
    UNION SELECT subject_id FROM lab_result
    UNION SELECT subject_id FROM observation
    UNION SELECT subject_id FROM deviation
    UNION SELECT subject_id FROM disposition
    UNION SELECT subject_id FROM form_instance
    UNION SELECT subject_id FROM item_value
    UNION SELECT subject_id FROM query
),
last_seen AS (
    SELECT subject_id, max(coalesce(end_date, start_date)) AS last_visit_date
    FROM visit WHERE occurred GROUP BY subject_id
),
left_study AS (
    SELECT subject_id, max(start_date) AS left_date
    FROM disposition
    WHERE category = 'DISPOSITION EVENT' AND coalesce(scope, 'STUDY') = 'STUDY'
    GROUP BY subject_id
),
-- The last day that the data know of: who has not left takes part until then.
cut_off AS (
    SELECT max(last_visit_date) AS cut_off_date FROM last_seen
),
members AS (
    SELECT
        subject_id, subject_no, site_id, country, sex, age, race, status, screening_no,
        ref_start_date, first_dose_date, consent_date,
        coalesce(end_participation_date, ref_end_date,
                 ref_start_date + time_on_study_days - 1, left_date, cut_off_date) AS participation_end_date,
        time_on_study_days, time_on_treatment_days, death_flag,
        false AS is_inferred
    FROM subject LEFT JOIN left_study USING (subject_id) CROSS JOIN cut_off
    UNION ALL BY NAME
    SELECT subject_id, subject_id AS subject_no, 'UNKNOWN' AS site_id, 'UNKNOWN' AS status,
        false AS death_flag, true AS is_inferred
    FROM named ANTI JOIN subject USING (subject_id)
)
SELECT
    star_key('dim_subject|' || this_study() || '|' || subject_id) AS subject_sk,
    star_key('dim_site|' || this_study() || '|' || site_id) AS site_sk,
    this_study() AS study_id,
    subject_id,
    subject_no,
    site_id,
    country,
    sex,
    age,
    race,
    status,
    NOT is_inferred AS is_screened,
    status NOT IN ('SCREENING', 'SCREEN_FAILED', 'UNKNOWN') AS is_enrolled,
    status = 'SCREEN_FAILED' AS is_screen_failure,
    consent_date,
    ref_start_date,
    first_dose_date,
    participation_end_date,
    -- Both days count, as a study day does; an end before the start is no duration.
    CASE WHEN coalesce(time_on_study_days, participation_end_date - ref_start_date + 1) >= 0
        THEN coalesce(time_on_study_days, participation_end_date - ref_start_date + 1) ELSE NULL END AS days_on_study,
    time_on_treatment_days AS days_on_treatment,
    death_flag AS has_died,
    is_inferred
FROM members
ORDER BY site_id, subject_id
