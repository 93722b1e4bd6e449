-- grain:  one row per code of a dictionary and version
-- inputs: ref_term, adverse_event, medical_history
-- The path from LLT to SOC is the delivered dictionary's primary one; without a dictionary it is that of the coded rows.
WITH terms AS (
    SELECT dictionary, version, code, level, term, parent_code
    FROM ref_term
    -- A term may hang on several parents: the primary path counts.
    QUALIFY row_number() OVER (
        PARTITION BY dictionary, version, code ORDER BY is_primary_path DESC, parent_code, source_system, row_id) = 1
),
-- Each term with those above it: at most five levels, whatever the file says.
ancestors AS (
    SELECT t.dictionary, t.version, t.code, above.level, above.code AS above_code, above.term AS above_term
    FROM (
        SELECT a.dictionary, a.version, a.code,
            [a.code, b.code, c.code, d.code, e.code] AS path
        FROM terms a
        LEFT JOIN terms b ON (b.dictionary, b.version, b.code) = (a.dictionary, a.version, a.parent_code)
        LEFT JOIN terms c ON (c.dictionary, c.version, c.code) = (b.dictionary, b.version, b.parent_code)
        LEFT JOIN terms d ON (d.dictionary, d.version, d.code) = (c.dictionary, c.version, c.parent_code)
        LEFT JOIN terms e ON (e.dictionary, e.version, e.code) = (d.dictionary, d.version, d.parent_code)
    ) t
    CROSS JOIN unnest(t.path) AS step(above_code)
    JOIN terms above ON (above.dictionary, above.version, above.code) = (t.dictionary, t.version, step.above_code)
),
from_dictionary AS (
    SELECT dictionary, version, code, terms.level, terms.term,
        min(above_term) FILTER (ancestors.level = 'LLT') AS llt,
        min(above_code) FILTER (ancestors.level = 'LLT') AS llt_code,
        min(above_term) FILTER (ancestors.level = 'PT') AS pt,
        min(above_code) FILTER (ancestors.level = 'PT') AS pt_code,
        min(above_term) FILTER (ancestors.level = 'HLT') AS hlt,
        min(above_code) FILTER (ancestors.level = 'HLT') AS hlt_code,
        min(above_term) FILTER (ancestors.level = 'HLGT') AS hlgt,
        min(above_code) FILTER (ancestors.level = 'HLGT') AS hlgt_code,
        min(above_term) FILTER (ancestors.level = 'SOC') AS soc,
        min(above_code) FILTER (ancestors.level = 'SOC') AS soc_code
    FROM terms JOIN ancestors USING (dictionary, version, code)
    GROUP BY dictionary, version, code, terms.level, terms.term
),
coded AS (
    SELECT meddra_version AS version, llt, CAST(llt_code AS VARCHAR) AS llt_code, pt, CAST(pt_code AS VARCHAR) AS pt_code,
        hlt, CAST(hlt_code AS VARCHAR) AS hlt_code, hlgt, CAST(hlgt_code AS VARCHAR) AS hlgt_code,
        soc, CAST(soc_code AS VARCHAR) AS soc_code
    FROM adverse_event
    UNION ALL BY NAME
    SELECT pt, soc FROM medical_history
),
counted AS (
    SELECT 'MedDRA' AS dictionary, coalesce(version, '') AS version, term_code(llt_code, llt, pt_code, pt) AS code,
        CASE WHEN llt_code IS NOT NULL OR llt IS NOT NULL THEN 'LLT' ELSE 'PT' END AS level,
        coalesce(llt, pt) AS term,
        llt, llt_code, pt, pt_code, hlt, hlt_code, hlgt, hlgt_code, soc, soc_code,
        count(*) AS n_rows
    FROM coded
    GROUP BY ALL
),
-- Rows that disagree on a term's path (rule R-08 finds them): the path that most rows have counts.
paths AS (
    SELECT * FROM counted
    WHERE code IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY version, code
        ORDER BY n_rows DESC, level, llt, pt, pt_code, hlt, hlt_code, hlgt, hlgt_code, soc, soc_code) = 1
),
known AS (
    SELECT * FROM from_dictionary
    UNION ALL BY NAME
    SELECT * EXCLUDE (n_rows) FROM paths ANTI JOIN from_dictionary USING (dictionary, version, code)
),
members AS (
    SELECT term_key(dictionary, version, code) AS term_sk, dictionary, version, code, level, coalesce(term, code) AS term,
        llt, llt_code, pt, pt_code, hlt, hlt_code, hlgt, hlgt_code, soc, soc_code
    FROM known
)
SELECT * FROM members
UNION ALL BY NAME
SELECT member_sk AS term_sk, member AS dictionary, '' AS version, member AS code, member AS level, member AS term
FROM reserved()
ORDER BY term_sk < 0, dictionary, version, code, term_sk
