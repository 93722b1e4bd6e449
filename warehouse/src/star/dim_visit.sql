-- grain:  one row per version of a visit number of the study: a protocol version that plans it otherwise begins one
-- inputs: planned_visit, visit, observation, lab_result, form_instance, dim_study
-- Arms are not part of the key: a fact's visit would tell the subject's arm (rule R-20). A visit that several arms share
-- has the day and the window of the first arm.
WITH superseded AS (
    -- A plan that a later protocol version replaced altogether still says what was due before.
    SELECT * EXCLUDE (said_at) FROM planned_visit_states ANTI JOIN planned_visit_members USING (protocol_version)
    WHERE EXISTS (SELECT 1 FROM planned_visit_members)
    QUALIFY row_number() OVER (PARTITION BY protocol_version, arm_code, visit_num ORDER BY said_at DESC) = 1
),
plans AS (
    SELECT * FROM planned_visit_members
    UNION ALL BY NAME
    SELECT * FROM superseded
),
planned AS (
    SELECT protocol_version, visit_num,
        first(visit ORDER BY arm_code) AS visit,
        first(planned_day ORDER BY arm_code) AS planned_day,
        first(window_lower_days ORDER BY arm_code) AS window_lower_days,
        first(window_upper_days ORDER BY arm_code) AS window_upper_days,
        first(anchor ORDER BY arm_code) AS anchor,
        first(epoch ORDER BY arm_code) AS epoch,
        bool_or(is_required) AS is_required,
        CAST(max(len(expected_forms)) AS INTEGER) AS n_forms_expected
    FROM plans GROUP BY protocol_version, visit_num
),
-- A protocol version is in force from the day that the study says so, else from its first delivery.
protocols AS (
    SELECT protocol_version,
        CASE WHEN nth > 1 THEN coalesce(stated_from, delivered_from) END AS in_force_from
    FROM (
        SELECT protocol_version, delivered_from, stated_from,
            row_number() OVER (
                ORDER BY TRY_CAST(protocol_version AS DOUBLE) NULLS FIRST, protocol_version) AS nth
        FROM (SELECT protocol_version, min(said_at) AS delivered_from FROM planned_visit_states GROUP BY protocol_version)
        LEFT JOIN (SELECT protocol_version, min(valid_from) AS stated_from FROM dim_study WHERE study_sk > 0
                   GROUP BY protocol_version) USING (protocol_version)
    )
),
changes AS (
    SELECT planned.*, in_force_from
    FROM planned JOIN protocols USING (protocol_version)
    WINDOW by_protocol AS (PARTITION BY visit_num ORDER BY in_force_from NULLS FIRST, protocol_version)
    QUALIFY row_number() OVER by_protocol = 1
        OR (visit, planned_day, window_lower_days, window_upper_days, anchor, epoch, is_required, n_forms_expected)
            IS DISTINCT FROM lag((visit, planned_day, window_lower_days, window_upper_days, anchor, epoch, is_required,
                                  n_forms_expected)) OVER by_protocol
),
scheduled AS (
    SELECT *,
        CASE WHEN lag(visit_num) OVER by_protocol IS NULL THEN NULL ELSE in_force_from END AS valid_from,
        lead(in_force_from) OVER by_protocol AS valid_to
    FROM changes
    WINDOW by_protocol AS (PARTITION BY visit_num ORDER BY in_force_from NULLS FIRST, protocol_version)
),
seen AS (
    SELECT visit_num, min(visit) AS visit, min(planned_day) AS planned_day FROM visit GROUP BY visit_num
    UNION ALL BY NAME
    SELECT DISTINCT visit_num FROM observation
    UNION ALL BY NAME
    SELECT DISTINCT visit_num FROM lab_result
    UNION ALL BY NAME
    SELECT DISTINCT visit_num FROM form_instance
),
seen_once AS (
    SELECT visit_num, max(visit) AS visit, max(planned_day) AS planned_day
    FROM seen WHERE visit_num IS NOT NULL GROUP BY visit_num
),
members AS (
    SELECT
        star_key('dim_visit|' || this_study() || '|' || CAST(visit_num AS VARCHAR)
            || CASE WHEN valid_from IS NULL THEN '' ELSE '|' || protocol_version END) AS visit_sk,
        star_key('dim_visit|' || this_study() || '|' || CAST(visit_num AS VARCHAR)) AS visit_dk,
        this_study() AS study_id,
        protocol_version,
        visit_num,
        coalesce(scheduled.visit, seen_once.visit, 'VISIT ' || CAST(CAST(visit_num AS DOUBLE) AS VARCHAR)) AS visit,
        coalesce(scheduled.planned_day, seen_once.planned_day) AS planned_day,
        window_lower_days,
        window_upper_days,
        anchor,
        epoch,
        scheduled.visit_num IS NOT NULL AS is_scheduled,
        coalesce(is_required, false) AS is_required,
        n_forms_expected,
        CAST(dense_rank() OVER (ORDER BY visit_num) AS INTEGER) AS visit_order,
        valid_from,
        valid_to,
        valid_to IS NULL AS is_current,
        scheduled.visit_num IS NULL AS is_inferred
    FROM scheduled FULL JOIN seen_once USING (visit_num)
),
-- Where records of events that are on no schedule go (rule R-06).
unscheduled AS (
    SELECT star_key('dim_visit|' || this_study() || '|UNSCHEDULED') AS visit_sk, visit_sk AS visit_dk,
        this_study() AS study_id, 'UNSCHEDULED' AS visit,
        false AS is_scheduled, false AS is_required, true AS is_current, false AS is_inferred
)
SELECT * FROM members
UNION ALL BY NAME
SELECT * FROM unscheduled
UNION ALL BY NAME
SELECT member_sk AS visit_sk, member_sk AS visit_dk, this_study() AS study_id, member AS visit,
    false AS is_scheduled, false AS is_required, false AS is_current, false AS is_inferred
FROM reserved()
ORDER BY visit_sk < 0, visit_num NULLS LAST, valid_from NULLS FIRST, visit_sk DESC
