-- grain:  none; the words that the definitions of the star share
-- inputs: none

-- An instant of canon as a naive time in UTC (rule R-04), whatever the machine's time zone.
CREATE MACRO utc(instant) AS make_timestamp(epoch_us(instant));

-- Where several source systems speak of one member, each attribute is that of the first one in this order that states it:
-- what sites work with day by day is nearer to the fact than what was derived from it for submission.
CREATE MACRO source_precedence(source_system) AS
    CASE
        WHEN source_system LIKE 'edc%' THEN 1
        WHEN source_system LIKE 'irt%' THEN 2
        WHEN source_system LIKE 'ctms%' THEN 3
        WHEN source_system LIKE 'lab%' THEN 4
        WHEN source_system LIKE 'fhir%' THEN 6
        WHEN source_system LIKE 'omop%' THEN 7
        WHEN source_system LIKE 'sdtm%' THEN 8
        ELSE 5
    END;

-- Members that stand for no member. A fact that cannot name its member points to one of them and is not lost.
CREATE MACRO unknown() AS CAST(-1 AS BIGINT);
CREATE MACRO not_applicable() AS CAST(-2 AS BIGINT);
CREATE MACRO inferred() AS CAST(-3 AS BIGINT);
CREATE MACRO reserved() AS TABLE
    SELECT * FROM (VALUES (unknown(), 'UNKNOWN'), (not_applicable(), 'NOT APPLICABLE'), (inferred(), 'INFERRED'))
        AS members(member_sk, member);

-- The key of one version of a member: the first one has the key of the member itself, so that it stays what it was
-- when a second one comes.
CREATE MACRO version_key(member, valid_from) AS
    star_key(member || coalesce('|' || CAST(epoch_us(valid_from) AS VARCHAR), ''));

-- Whether a version holds on a day. An event without a day belongs to the version that holds now.
CREATE MACRO valid_on(valid_from, valid_to, is_current, day) AS
    CASE
        WHEN valid_from IS NULL AND valid_to IS NULL THEN true
        WHEN day IS NULL THEN is_current
        ELSE (valid_from IS NULL OR utc(valid_from) <= CAST(day AS TIMESTAMP))
            AND (valid_to IS NULL OR utc(valid_to) > CAST(day AS TIMESTAMP))
    END;

-- The key of a day: 20200131. A day that is not known is the unknown member; nothing is imputed.
CREATE MACRO time_key(day) AS
    coalesce(CAST(year(day) AS BIGINT) * 10000 + month(day) * 100 + day(day), unknown());

-- The key of a partial date (rule R-01): 20200131, 20200100 when the month is known, 20200000 when the year is.
CREATE MACRO partial_time_key(earliest, precision) AS
    CASE precision
        WHEN 'NONE' THEN unknown()
        -- The year 0000 is no year.
        WHEN 'Y' THEN coalesce(nullif(CAST(year(earliest) AS BIGINT) * 10000, 0), unknown())
        WHEN 'M' THEN coalesce(CAST(year(earliest) AS BIGINT) * 10000 + month(earliest) * 100, unknown())
        ELSE time_key(earliest)
    END;

-- The code of a coded term: the most specific level that was delivered, its text where codes were withheld.
CREATE MACRO term_code(llt_code, llt, pt_code, pt) AS
    coalesce(CAST(llt_code AS VARCHAR), llt, CAST(pt_code AS VARCHAR), pt);
CREATE MACRO term_key(dictionary, version, code) AS
    coalesce(star_key('dim_term|' || dictionary || '|' || coalesce(version, '') || '|' || code), unknown());

-- Rule R-12: what stands before the number of a result.
CREATE MACRO result_operator(result) AS
    CASE
        WHEN result[1] NOT IN ('<', '>') THEN NULL
        WHEN result[2] = '=' THEN result[1:2]
        ELSE result[1:1]
    END;
