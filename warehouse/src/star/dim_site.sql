-- grain:  one row per version of a site: a new status, investigator, country, CRO or monitor begins one; sites that only other records name are inferred
-- inputs: site, subject, deviation, form_instance, query, monitoring_visit
-- The first version holds from the beginning of time (`valid_from` is null); what is not tracked is as it is now.
WITH changes AS (
    SELECT site_id, status, investigator_id, country, cro, monitor_id, said_at FROM site_states
    WINDOW by_time AS (PARTITION BY site_id ORDER BY said_at)
    QUALIFY row_number() OVER by_time = 1
        OR (status, investigator_id, country, cro, monitor_id)
            IS DISTINCT FROM lag((status, investigator_id, country, cro, monitor_id)) OVER by_time
),
versions AS (
    SELECT * EXCLUDE (said_at),
        CASE WHEN lag(said_at) OVER by_time IS NULL THEN NULL ELSE said_at END AS valid_from,
        lead(said_at) OVER by_time AS valid_to
    FROM changes
    WINDOW by_time AS (PARTITION BY site_id ORDER BY said_at)
),
-- A subject that moved keeps its former site in the star.
named AS (
    SELECT site_id, country FROM subject_states
    UNION ALL BY NAME SELECT DISTINCT site_id FROM deviation
    UNION ALL BY NAME SELECT DISTINCT site_id FROM form_instance
    UNION ALL BY NAME SELECT DISTINCT site_id FROM query
    UNION ALL BY NAME SELECT DISTINCT site_id FROM monitoring_visit
),
known AS (
    SELECT versions.*, now_stated.* EXCLUDE (site_id, status, investigator_id, country, cro, monitor_id), false AS is_inferred
    FROM versions JOIN site_members now_stated USING (site_id)
    UNION ALL BY NAME
    SELECT site_id, min(country) AS country, 'UNKNOWN' AS status, true AS is_inferred
    FROM named ANTI JOIN site_members USING (site_id)
    WHERE site_id IS NOT NULL
    GROUP BY site_id
),
members AS (
    SELECT
        version_key('dim_site|' || this_study() || '|' || site_id, valid_from) AS site_sk,
        star_key('dim_site|' || this_study() || '|' || site_id) AS site_dk,
        this_study() AS study_id,
        site_id,
        site_name,
        country,
        region,
        status,
        activation_date,
        closeout_date,
        -- The same person has the same name at every site; who it is stays in canon.
        format('PI-{:016x}', star_key('investigator|' || this_study() || '|' || investigator_id)) AS pi_pseudonym,
        cro,
        format('CRA-{:016x}', star_key('monitor|' || this_study() || '|' || monitor_id)) AS monitor_pseudonym,
        target_enrolment,
        valid_from,
        valid_to,
        valid_to IS NULL AS is_current,
        is_inferred
    FROM known
)
SELECT * FROM members
UNION ALL BY NAME
SELECT member_sk AS site_sk, member_sk AS site_dk, this_study() AS study_id, member AS site_id, 'UNKNOWN' AS status,
    false AS is_current, false AS is_inferred
FROM reserved()
ORDER BY site_sk < 0, site_id, valid_from NULLS FIRST, site_sk
