-- grain:  one row per visit of a subject, and per scheduled visit that a subject missed
-- inputs: visit, subject, planned_visit, dim_study, dim_site, dim_subject, dim_visit, fact_form
WITH actual AS (
    SELECT subject_id, visit_num, visit_repeat, occurred, start_date, end_date, row_id, source_system
    FROM visit
),
-- What the schedule of the subject's arm asks of those who are enrolled and has no record.
not_recorded AS (
    SELECT DISTINCT s.subject_id, planned.visit_num
    FROM dim_subject s
    JOIN subject_members stated USING (subject_id)
    JOIN planned_visit_members planned ON planned.arm_code IN ('*', stated.planned_arm_code)
    ANTI JOIN actual ON actual.subject_id = s.subject_id AND actual.visit_num = planned.visit_num
    WHERE s.is_current AND s.is_enrolled
),
candidates AS (
    SELECT *, true AS is_recorded FROM actual
    UNION ALL BY NAME
    SELECT subject_id, visit_num, 0 AS visit_repeat, false AS occurred, false AS is_recorded FROM not_recorded
),
-- The last visit that took place before, for windows that count from it.
ordered AS (
    SELECT *,
        last_value(CASE WHEN occurred THEN start_date END IGNORE NULLS) OVER before AS previous_date,
        last_value(CASE WHEN occurred AND start_date IS NOT NULL THEN visit_num END IGNORE NULLS) OVER before
            AS previous_visit_num
    FROM candidates
    WINDOW before AS (
        PARTITION BY subject_id ORDER BY visit_num, visit_repeat, row_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
-- A study day without the missing day 0: days from the anchor.
planned AS (
    SELECT *, planned_day - CAST(planned_day > 0 AS INTEGER) AS planned_offset
    FROM dim_visit WHERE visit_num IS NOT NULL
),
placed AS (
    SELECT o.*, v.visit_sk, v.planned_day, v.is_scheduled, v.is_required, v.n_forms_expected,
        v.window_lower_days, v.window_upper_days, who.ref_start_date, who.participation_end_date,
        -- Rule R-05: from the anchor that the plan names.
        CASE v.anchor
            WHEN 'RANDOMISATION' THEN who.randomised_date + v.planned_offset
            WHEN 'PREVIOUS_VISIT' THEN o.previous_date + (v.planned_offset - before.planned_offset)
            ELSE who.ref_start_date + v.planned_offset
        END AS planned_date,
        v.valid_from AS planned_from, v.valid_to AS planned_to, v.is_current AS is_plan_current
    FROM ordered o
    LEFT JOIN (SELECT * FROM participation WHERE is_current) who USING (subject_id)
    LEFT JOIN planned v ON v.visit_num = o.visit_num
    LEFT JOIN planned before ON before.visit_num = o.previous_visit_num AND before.is_current
),
-- The plan in force on the day of the visit, or on the day on which it was due. Rule R-06: missed once its window has
-- closed before participation ended.
kept AS (
    SELECT *, start_date - planned_date AS deviation_from_plan
    FROM placed
    WHERE CASE
        WHEN is_recorded THEN valid_on(planned_from, planned_to, is_plan_current, start_date)
        ELSE valid_on(planned_from, planned_to, is_plan_current, planned_date)
            AND is_scheduled AND is_required
            AND planned_date + coalesce(window_upper_days, 0) < participation_end_date
    END
    QUALIFY row_number() OVER (
        PARTITION BY subject_id, visit_num, visit_repeat, row_id ORDER BY planned_from DESC NULLS LAST) = 1
),
-- Pages of a visit count once, at its first record.
forms AS (
    SELECT subject_dk, visit_num,
        count(*) FILTER (status NOT IN ('EXPECTED', 'BLANK', 'DELETED')) AS n_forms_entered,
        median(entry_lag_days) AS entry_lag_days_median
    FROM fact_form
    WHERE visit_num IS NOT NULL
    GROUP BY subject_dk, visit_num
),
first_records AS (
    SELECT *, row_number() OVER (
        PARTITION BY subject_id, visit_num ORDER BY occurred DESC, visit_repeat, source_system, row_id) = 1 AS is_first
    FROM kept
)
SELECT
    coalesce(s.study_sk, unknown()) AS study_sk,
    coalesce(s.subject_sk, unknown()) AS subject_sk,
    coalesce(s.subject_dk, unknown()) AS subject_dk,
    coalesce(s.site_sk, unknown()) AS site_sk,
    coalesce(m.visit_sk, unknown()) AS visit_sk,
    time_key(m.planned_date) AS planned_time_sk,
    time_key(m.start_date) AS actual_time_sk,
    m.visit_num,
    m.visit_repeat,
    m.occurred,
    NOT m.occurred AS is_missed,
    m.start_date,
    m.end_date,
    m.planned_date,
    m.start_date - m.ref_start_date + CAST(m.start_date >= m.ref_start_date AS INTEGER) AS visit_day,
    CASE WHEN m.occurred AND m.is_scheduled THEN deviation_from_plan END AS deviation_days,
    CASE
        WHEN NOT m.occurred THEN 'MISSED'
        WHEN NOT m.is_scheduled THEN 'UNSCHEDULED'
        WHEN m.window_lower_days IS NULL OR m.window_upper_days IS NULL OR deviation_from_plan IS NULL THEN 'NO_WINDOW'
        WHEN deviation_from_plan < m.window_lower_days THEN 'EARLY'
        WHEN deviation_from_plan > m.window_upper_days THEN 'LATE'
        ELSE 'IN'
    END AS window_status,
    CASE WHEN m.is_first THEN m.n_forms_expected END AS n_forms_expected,
    CASE WHEN m.is_first THEN coalesce(f.n_forms_entered, 0) END AS n_forms_entered,
    CASE WHEN m.is_first THEN f.entry_lag_days_median END AS entry_lag_days_median,
    m.row_id AS source_row_id,
    m.source_system
FROM first_records m
LEFT JOIN participation s ON s.subject_id = m.subject_id
    AND valid_on(s.valid_from, s.valid_to, s.is_current, coalesce(m.start_date, m.planned_date))
LEFT JOIN forms f ON f.subject_dk = s.subject_dk AND f.visit_num = m.visit_num
ORDER BY s.site_sk, s.subject_sk, m.visit_num, m.visit_repeat, m.row_id
