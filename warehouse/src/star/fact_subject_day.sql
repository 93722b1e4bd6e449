-- grain:  one row per subject and month-end since screening, and one at the cut-off
-- inputs: dim_study, dim_site, dim_subject, disposition
WITH subjects AS (
    SELECT *, least(consent_date, ref_start_date, first_dose_date) AS first_known_date
    FROM participation WHERE is_current AND is_screened
),
-- Who was screened on no known day is counted at the cut-off alone; a mistyped year makes no more rows than 50 years do.
month_ends AS (
    SELECT subject_id, last_day(CAST(month AS DATE)) AS day
    FROM subjects, unnest(generate_series(
        date_trunc('month', CAST(greatest(first_known_date, cut_off_date - 18263) AS TIMESTAMP)),
        CAST(cut_off_date AS TIMESTAMP), INTERVAL 1 month)) AS months(month)
    WHERE first_known_date IS NOT NULL AND last_day(CAST(month AS DATE)) < cut_off_date
),
days AS (
    SELECT subject_id, day, false AS is_cut_off FROM month_ends
    UNION ALL
    SELECT subject_id, cut_off_date, true FROM subjects WHERE cut_off_date IS NOT NULL
),
-- Rule R-14, first version: what ended participation, by rank. An event without a day counts at the cut-off.
endings AS (
    SELECT subject_id, min(start_date) AS ended_date, bool_or(start_date IS NULL) AS has_undated,
        CASE
            WHEN decoded ILIKE '%DEATH%' OR decoded ILIKE 'DIED%' THEN 'DIED'
            WHEN decoded ILIKE '%WITHDR%' THEN 'WITHDRAWN'
            WHEN decoded = 'COMPLETED' THEN 'COMPLETED'
            WHEN decoded = 'LOST TO FOLLOW-UP' THEN 'LOST'
            ELSE 'DISCONTINUED'
        END AS ending
    FROM disposition
    WHERE category = 'DISPOSITION EVENT' AND coalesce(scope, 'STUDY') = 'STUDY' AND decoded <> 'SCREEN FAILURE'
    GROUP BY subject_id, ending
),
reached AS (
    SELECT days.subject_id, days.day,
        bool_or(ending = 'DIED') AS has_died, bool_or(ending = 'WITHDRAWN') AS has_withdrawn,
        bool_or(ending = 'COMPLETED') AS has_completed, bool_or(ending = 'LOST') AS is_lost,
        bool_or(ending = 'DISCONTINUED') AS has_discontinued
    FROM days JOIN endings ON endings.subject_id = days.subject_id
        AND (ended_date <= days.day OR (days.is_cut_off AND has_undated))
    GROUP BY days.subject_id, days.day
),
measured AS (
    SELECT days.*, u.ref_start_date, u.first_dose_date, u.is_enrolled AND days.day >= coalesce(u.ref_start_date,
            u.randomised_date, u.consent_date, days.day) AS is_enrolled,
        u.is_screen_failure,
        -- At the cut-off the source's own count stands.
        CASE WHEN days.is_cut_off AND u.days_on_study IS NOT NULL THEN u.days_on_study
            ELSE least(days.day, u.participation_end_date) - u.ref_start_date + 1 END AS days_on_study,
        CASE WHEN days.is_cut_off AND u.days_on_treatment IS NOT NULL THEN u.days_on_treatment
            ELSE least(days.day, coalesce(u.last_dose_date, u.first_dose_date + u.days_on_treatment - 1,
                u.participation_end_date)) - u.first_dose_date + 1 END AS days_on_treatment,
        u.death_date <= days.day OR (days.is_cut_off AND u.has_died) OR reached.has_died AS has_died,
        reached.has_withdrawn, reached.has_completed, reached.is_lost, reached.has_discontinued
    FROM days
    JOIN subjects u USING (subject_id)
    LEFT JOIN reached ON reached.subject_id = days.subject_id AND reached.day = days.day
)
SELECT
    s.study_sk,
    s.subject_sk,
    s.subject_dk,
    s.site_sk,
    time_key(m.day) AS time_sk,
    m.day,
    m.is_cut_off,
    CASE WHEN m.days_on_study > 0 THEN m.days_on_study ELSE 0 END AS days_on_study,
    CASE WHEN m.days_on_treatment > 0 THEN m.days_on_treatment ELSE 0 END AS days_on_treatment,
    CASE
        WHEN m.has_died THEN 'DIED'
        WHEN m.has_withdrawn THEN 'WITHDRAWN'
        WHEN m.has_completed THEN 'COMPLETED'
        WHEN m.is_lost THEN 'LOST'
        WHEN m.has_discontinued THEN 'DISCONTINUED'
        WHEN m.is_enrolled AND m.first_dose_date <= m.day THEN 'ON_TREATMENT'
        WHEN m.is_enrolled THEN 'ENROLLED'
        WHEN m.is_screen_failure THEN 'SCREEN_FAILED'
        ELSE 'SCREENING'
    END AS status,
    'R-14.1' AS status_rule,
    m.is_enrolled,
    m.is_screen_failure
FROM measured m
JOIN participation s ON s.subject_id = m.subject_id AND valid_on(s.valid_from, s.valid_to, s.is_current, m.day)
ORDER BY s.site_sk, s.subject_sk, m.day, m.is_cut_off
