-- grain:  one row per study
-- inputs: study, study_parameter
WITH parameters AS (
    SELECT
        max(value) FILTER (WHERE parm_code = 'TITLE') AS title,
        max(value) FILTER (WHERE parm_code = 'TPHASE') AS phase,
        max(value) FILTER (WHERE parm_code = 'INDIC') AS indication,
        max(value) FILTER (WHERE parm_code = 'SPONSOR') AS sponsor,
        max(value) FILTER (WHERE parm_code = 'TBLIND') AS blinding,
        TRY_CAST(max(value) FILTER (WHERE parm_code = 'PLANSUB') AS INTEGER) AS planned_subjects
    FROM study_parameter
),
stated AS (
    SELECT * FROM study ORDER BY protocol_version DESC LIMIT 1
)
SELECT
    star_key('dim_study|' || this_study()) AS study_sk,
    this_study() AS study_id,
    coalesce(stated.title, parameters.title) AS title,
    coalesce(stated.phase, parameters.phase) AS phase,
    coalesce(stated.indication, parameters.indication) AS indication,
    coalesce(stated.sponsor, parameters.sponsor) AS sponsor,
    coalesce(stated.status, 'ACTIVE') AS status,
    coalesce(stated.blinding, parameters.blinding) AS blinding,
    stated.planned_sites,
    coalesce(stated.planned_subjects, parameters.planned_subjects) AS planned_subjects,
    stated.therapeutic_area
FROM parameters LEFT JOIN stated ON true
