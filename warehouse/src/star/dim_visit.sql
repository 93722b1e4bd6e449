-- grain:  one row per visit number of the study
-- inputs: planned_visit, visit, observation, lab_result
WITH planned AS (
    -- A visit that several arms share is one member; its day and window are those of the first arm.
    SELECT visit_num, first(visit ORDER BY arm_code) AS visit, first(planned_day ORDER BY arm_code) AS planned_day,
        first(window_lower_days ORDER BY arm_code) AS window_lower_days,
        first(window_upper_days ORDER BY arm_code) AS window_upper_days,
        bool_or(is_required) AS is_required
    FROM planned_visit GROUP BY visit_num
),
seen AS (
    SELECT visit_num, min(visit) AS visit, min(planned_day) AS planned_day FROM visit GROUP BY visit_num
    UNION ALL BY NAME
    SELECT visit_num FROM observation WHERE visit_num IS NOT NULL
    UNION ALL BY NAME
    SELECT visit_num FROM lab_result WHERE visit_num IS NOT NULL
),
seen_once AS (
    SELECT visit_num, max(visit) AS visit, max(planned_day) AS planned_day FROM seen GROUP BY visit_num
)
SELECT
    star_key('dim_visit|' || this_study() || '|' || CAST(visit_num AS VARCHAR)) AS visit_sk,
    this_study() AS study_id,
    visit_num,
    coalesce(planned.visit, seen_once.visit, 'VISIT ' || CAST(CAST(visit_num AS DOUBLE) AS VARCHAR)) AS visit,
    coalesce(planned.planned_day, seen_once.planned_day) AS planned_day,
    window_lower_days,
    window_upper_days,
    planned.visit_num IS NOT NULL AS is_scheduled,
    coalesce(is_required, false) AS is_required,
    CAST(row_number() OVER (ORDER BY visit_num) AS INTEGER) AS visit_order
FROM planned FULL JOIN seen_once USING (visit_num)
ORDER BY visit_num
