-- grain:  one row per version of a subject, screened or later: a new site or status begins one; subjects that only other records name are inferred
-- inputs: subject, visit, exposure, eligibility_result, adverse_event, lab_result, observation, deviation, disposition, form_instance, item_value, query, dim_study, dim_site
-- The first version holds from the beginning of time (`valid_from` is null); what is not tracked is as it is now.
-- Arms are not here: while a study may be blinded they need a scope of their own (rule R-20). For the same reason a change
-- of arm begins no version.
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
changes AS (
    SELECT subject_id, site_id, status, said_at FROM subject_states
    WINDOW by_time AS (PARTITION BY subject_id ORDER BY said_at)
    QUALIFY row_number() OVER by_time = 1
        OR (site_id, status) IS DISTINCT FROM lag((site_id, status)) OVER by_time
),
versions AS (
    SELECT * EXCLUDE (said_at),
        CASE WHEN lag(said_at) OVER by_time IS NULL THEN NULL ELSE said_at END AS valid_from,
        lead(said_at) OVER by_time AS valid_to
    FROM changes
    WINDOW by_time AS (PARTITION BY subject_id ORDER BY said_at)
),
left_study AS (
    SELECT subject_id, max(start_date) AS left_date
    FROM disposition
    WHERE category = 'DISPOSITION EVENT' AND coalesce(scope, 'STUDY') = 'STUDY'
    GROUP BY subject_id
),
-- An administration without an end may go on: then no last dose is known.
dosing AS (
    SELECT subject_id,
        min(start_date) AS first_date, min(start_min) AS first_min, min(start_max) AS first_max,
        CASE WHEN bool_and(end_max IS NOT NULL) THEN max(end_date) END AS last_date,
        CASE WHEN bool_and(end_max IS NOT NULL) THEN max(end_min) END AS last_min,
        CASE WHEN bool_and(end_max IS NOT NULL) THEN max(end_max) END AS last_max
    FROM exposure
    GROUP BY subject_id
),
-- Inclusion criteria that are not met and exclusion criteria that are.
criteria AS (
    SELECT subject_id, count(*) FILTER (WHERE met = (category = 'EXCLUSION')) AS n_broken
    FROM eligibility_result
    GROUP BY subject_id
),
-- Who has not left takes part until the last day that the data know of, and nobody beyond a stated cut-off.
cut_off AS (
    SELECT stated_cut_off_date, cut_off_date FROM dim_study WHERE is_current
),
stated AS (
    SELECT
        versions.*,
        subject_no, country, sex, age, race, ethnicity, screening_no, birth_min, ref_start_date, consent_date,
        randomised_date, time_on_study_days, time_on_treatment_days, death_flag, death_date,
        -- Sources may list broken criteria alone: who has none listed broke none, where any source lists some.
        CASE WHEN EXISTS (FROM criteria) THEN coalesce(criteria.n_broken, 0) END AS n_criteria_broken,
        CASE WHEN first_dose_min IS NOT NULL THEN first_dose_date ELSE dosing.first_date END AS first_dose_date,
        coalesce(first_dose_min, dosing.first_min) AS first_dose_min,
        coalesce(first_dose_max, dosing.first_max) AS first_dose_max,
        CASE WHEN last_dose_min IS NOT NULL THEN last_dose_date ELSE dosing.last_date END AS last_dose_date,
        coalesce(last_dose_min, dosing.last_min) AS last_dose_min,
        coalesce(last_dose_max, dosing.last_max) AS last_dose_max,
        least(stated_cut_off_date,
            coalesce(end_participation_date, ref_end_date,
                ref_start_date + time_on_study_days - 1, left_date, cut_off_date)) AS participation_end_date
    FROM versions
    JOIN subject_members now_stated USING (subject_id)
    LEFT JOIN left_study USING (subject_id)
    LEFT JOIN dosing USING (subject_id)
    LEFT JOIN criteria USING (subject_id)
    CROSS JOIN cut_off
),
known AS (
    SELECT stated.*, site_sk, site_dk, false AS is_inferred
    -- A former version stands at its site as it was when the version ended.
    FROM stated JOIN dim_site ON dim_site.site_id = stated.site_id AND site_sk > 0
        AND valid_on(dim_site.valid_from, dim_site.valid_to, dim_site.is_current,
                     utc(stated.valid_to) - INTERVAL 1 microsecond)
    UNION ALL BY NAME
    -- `*` is no subject: a deviation of a whole site.
    SELECT subject_id, subject_id AS subject_no, unknown() AS site_sk, unknown() AS site_dk, 'UNKNOWN' AS site_id,
        'UNKNOWN' AS status, false AS death_flag, true AS is_inferred
    FROM named ANTI JOIN subject_members USING (subject_id)
    WHERE subject_id <> '*'
),
members AS (
    SELECT
        version_key('dim_subject|' || this_study() || '|' || subject_id, valid_from) AS subject_sk,
        star_key('dim_subject|' || this_study() || '|' || subject_id) AS subject_dk,
        site_sk,
        site_dk,
        this_study() AS study_id,
        subject_id,
        subject_no,
        site_id,
        country,
        sex,
        age,
        CASE WHEN age < 18 THEN '<18' WHEN age < 65 THEN '18-64' WHEN age < 85 THEN '65-84' WHEN age >= 85 THEN '85+' END
            AS age_band,
        CAST(year(birth_min) AS INTEGER) AS birth_year,
        race,
        ethnicity,
        status,
        NOT is_inferred AS is_screened,
        status NOT IN ('SCREENING', 'SCREEN_FAILED', 'UNKNOWN') AS is_enrolled,
        status = 'SCREEN_FAILED' AS is_screen_failure,
        consent_date,
        randomised_date,
        ref_start_date,
        first_dose_date,
        first_dose_min,
        first_dose_max,
        last_dose_date,
        last_dose_min,
        last_dose_max,
        participation_end_date,
        -- Both days count, as a study day does; an end before the start is no duration.
        CASE WHEN coalesce(time_on_study_days, participation_end_date - ref_start_date + 1) >= 0
            THEN coalesce(time_on_study_days, participation_end_date - ref_start_date + 1) ELSE NULL END AS days_on_study,
        time_on_treatment_days AS days_on_treatment,
        death_flag AS has_died,
        death_date,
        n_criteria_broken,
        valid_from,
        valid_to,
        valid_to IS NULL AS is_current,
        is_inferred
    FROM known
)
SELECT * FROM members
UNION ALL BY NAME
SELECT member_sk AS subject_sk, member_sk AS subject_dk, unknown() AS site_sk, unknown() AS site_dk,
    this_study() AS study_id, member AS subject_id, member AS subject_no, 'UNKNOWN' AS site_id, 'UNKNOWN' AS status,
    false AS is_screened, false AS is_enrolled, false AS is_screen_failure, false AS has_died,
    false AS is_current, false AS is_inferred
FROM reserved()
ORDER BY subject_sk < 0, site_id, subject_id, valid_from NULLS FIRST, subject_sk
