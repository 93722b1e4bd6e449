-- grain:  one row per version of the study: an amendment, a new status or a lock begins one
-- inputs: study, study_parameter, visit
-- The first version holds from the beginning of time (`valid_from` is null); what is not tracked is as it is now.
WITH parameters AS (
    SELECT
        max(value) FILTER (WHERE parm_code = 'TITLE') AS title,
        max(value) FILTER (WHERE parm_code = 'TPHASE') AS phase,
        max(value) FILTER (WHERE parm_code = 'INDIC') AS indication,
        max(value) FILTER (WHERE parm_code = 'SPONSOR') AS sponsor,
        max(value) FILTER (WHERE parm_code = 'TBLIND') AS blinding,
        TRY_CAST(max(value) FILTER (WHERE parm_code = 'PLANSUB') AS INTEGER) AS planned_subjects,
        -- Rule R-11: how long after the last dose an event still counts; a sponsor's parameter, 30 days unless stated.
        coalesce(TRY_CAST(max(value) FILTER (WHERE parm_code = 'TEAELAG') AS INTEGER), 30) AS treatment_emergent_lag_days
    FROM study_parameter_members
),
instants AS (
    SELECT DISTINCT said_at FROM study_states
),
-- Of the protocol versions known at an instant the latest one is in force; `10` comes after `9`.
in_force AS (
    SELECT instants.said_at, states.protocol_version, states.status, states.db_lock_date
    FROM instants JOIN study_states states ON states.said_at <= instants.said_at
    QUALIFY row_number() OVER (
        PARTITION BY instants.said_at
        ORDER BY TRY_CAST(protocol_version AS DOUBLE) DESC NULLS LAST, protocol_version DESC, states.said_at DESC) = 1
),
changes AS (
    SELECT * FROM in_force
    WINDOW by_time AS (ORDER BY said_at)
    QUALIFY row_number() OVER by_time = 1
        OR (protocol_version, status, db_lock_date)
            IS DISTINCT FROM lag((protocol_version, status, db_lock_date)) OVER by_time
),
versions AS (
    SELECT protocol_version, status, db_lock_date,
        CASE WHEN lag(said_at) OVER by_time IS NULL THEN NULL ELSE said_at END AS valid_from,
        lead(said_at) OVER by_time AS valid_to
    FROM changes
    WINDOW by_time AS (ORDER BY said_at)
),
now_stated AS (
    SELECT * FROM study_members
    ORDER BY TRY_CAST(protocol_version AS DOUBLE) DESC NULLS LAST, protocol_version DESC
    LIMIT 1
),
-- The cut-off that the source states, else the last day that the data know of.
cut_off AS (
    SELECT stated_cut_off_date, coalesce(stated_cut_off_date, last_visit_date) AS cut_off_date
    FROM (SELECT CAST(utc(max(data_cutoff_ts)) AS DATE) AS stated_cut_off_date FROM study_members)
    CROSS JOIN (SELECT max(coalesce(end_date, start_date)) AS last_visit_date FROM visit WHERE occurred)
),
members AS (
    SELECT
        version_key('dim_study|' || this_study(), versions.valid_from) AS study_sk,
        star_key('dim_study|' || this_study()) AS study_dk,
        this_study() AS study_id,
        coalesce(versions.protocol_version, '1') AS protocol_version,
        coalesce(now_stated.title, parameters.title) AS title,
        coalesce(now_stated.phase, parameters.phase) AS phase,
        coalesce(now_stated.indication, parameters.indication) AS indication,
        coalesce(now_stated.sponsor, parameters.sponsor) AS sponsor,
        coalesce(versions.status, 'ACTIVE') AS status,
        coalesce(now_stated.blinding, parameters.blinding) AS blinding,
        coalesce(now_stated.blinding, parameters.blinding) NOT ILIKE 'OPEN%' AS is_blinded,
        now_stated.planned_sites,
        coalesce(now_stated.planned_subjects, parameters.planned_subjects) AS planned_subjects,
        now_stated.therapeutic_area,
        now_stated.first_subject_in_date,
        now_stated.last_subject_out_date,
        versions.db_lock_date,
        now_stated.meddra_version,
        now_stated.ct_package,
        parameters.treatment_emergent_lag_days,
        cut_off.stated_cut_off_date,
        cut_off.cut_off_date,
        versions.valid_from,
        versions.valid_to,
        versions.valid_to IS NULL AS is_current,
        now_stated.study_id IS NULL AS is_inferred
    FROM parameters
    CROSS JOIN cut_off
    LEFT JOIN versions ON true
    LEFT JOIN now_stated ON true
)
SELECT * FROM members
UNION ALL BY NAME
SELECT member_sk AS study_sk, member_sk AS study_dk, this_study() AS study_id, 'UNKNOWN' AS status,
    false AS is_current, false AS is_inferred
FROM reserved()
ORDER BY study_sk < 0, valid_from NULLS FIRST, study_sk DESC
