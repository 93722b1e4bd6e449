-- grain:  one row per visit of a subject, and per scheduled visit that a subject missed
-- inputs: visit, subject, planned_visit, dim_subject, dim_visit
WITH actual AS (
    SELECT subject_id, visit_num, visit_repeat, occurred, start_date, end_date, row_id
    FROM visit
),
-- Rule R-06: missed once its window has closed before participation ended, if the arm's schedule asks for it.
due AS (
    SELECT DISTINCT dim_subject.subject_id, dim_visit.visit_num
    FROM dim_subject
    JOIN subject USING (subject_id)
    JOIN planned_visit ON planned_visit.arm_code IN ('*', subject.planned_arm_code)
    JOIN dim_visit ON dim_visit.visit_num = planned_visit.visit_num
    WHERE is_enrolled AND is_scheduled AND dim_visit.is_required AND dim_visit.planned_day IS NOT NULL
        AND dim_subject.ref_start_date + (dim_visit.planned_day - CAST(dim_visit.planned_day > 0 AS INTEGER))
            + coalesce(dim_visit.window_upper_days, 0)
            < participation_end_date
),
all_visits AS (
    SELECT * FROM actual
    UNION ALL BY NAME
    SELECT subject_id, visit_num, 0 AS visit_repeat, false AS occurred
    FROM due ANTI JOIN actual USING (subject_id, visit_num)
),
measured AS (
    SELECT
        all_visits.*, s.subject_sk, s.site_sk, v.visit_sk, v.planned_day, v.is_scheduled,
        v.window_lower_days, v.window_upper_days,
        start_date - s.ref_start_date + CAST(start_date >= s.ref_start_date AS INTEGER) AS visit_day,
        -- Rule R-05: without the missing day 0 on both sides.
        (start_date - s.ref_start_date) - (v.planned_day - CAST(v.planned_day > 0 AS INTEGER)) AS deviation_days
    FROM all_visits
    JOIN dim_subject s USING (subject_id)
    JOIN dim_visit v USING (visit_num)
)
SELECT
    subject_sk,
    site_sk,
    visit_sk,
    visit_num,
    visit_repeat,
    occurred,
    start_date,
    end_date,
    visit_day,
    CASE WHEN occurred AND is_scheduled THEN deviation_days END AS deviation_days,
    CASE
        WHEN NOT occurred THEN 'MISSED'
        WHEN NOT is_scheduled THEN 'UNSCHEDULED'
        WHEN window_lower_days IS NULL OR window_upper_days IS NULL OR deviation_days IS NULL THEN 'NO_WINDOW'
        WHEN deviation_days < window_lower_days THEN 'EARLY'
        WHEN deviation_days > window_upper_days THEN 'LATE'
        ELSE 'IN'
    END AS window_status,
    row_id AS source_row_id
FROM measured
ORDER BY site_sk, subject_sk, visit_num, visit_repeat, row_id
