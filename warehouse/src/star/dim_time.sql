-- grain:  one row per day from the first to the last day of the study's facts, and per month and year of it
-- inputs: fact_visit, fact_ae, fact_lab, fact_observation, fact_form, fact_query, fact_deviation, fact_disposition, fact_subject_day
-- The key is the day itself, 20200131; 20200100 is a date of which the month is known, 20200000 one of which the year is.
WITH named AS (
    SELECT planned_time_sk AS time_sk FROM fact_visit
    UNION SELECT actual_time_sk FROM fact_visit
    UNION SELECT start_time_sk FROM fact_ae
    UNION SELECT end_time_sk FROM fact_ae
    UNION SELECT entered_time_sk FROM fact_ae
    UNION SELECT time_sk FROM fact_lab
    UNION SELECT time_sk FROM fact_observation
    UNION SELECT event_time_sk FROM fact_form
    UNION SELECT entered_time_sk FROM fact_form
    UNION SELECT opened_time_sk FROM fact_query
    UNION SELECT answered_time_sk FROM fact_query
    UNION SELECT closed_time_sk FROM fact_query
    UNION SELECT event_time_sk FROM fact_deviation
    UNION SELECT identified_time_sk FROM fact_deviation
    UNION SELECT time_sk FROM fact_disposition
    UNION SELECT time_sk FROM fact_subject_day
),
-- A mistyped year must not make a million members: beyond these years only days that a fact names are members.
span AS (
    SELECT min(time_sk // 10000) AS first_year, max(time_sk // 10000) AS last_year
    FROM named WHERE time_sk BETWEEN 19000000 AND 21991231
),
years AS (
    SELECT CAST(unnest(range(first_year, last_year + 1)) AS BIGINT) AS year FROM span
),
days AS (
    SELECT CAST(unnest(generate_series(make_date(first_year, 1, 1), make_date(last_year, 12, 31), INTERVAL 1 day)) AS DATE)
        AS day
    FROM span WHERE first_year IS NOT NULL
),
keys AS (
    SELECT time_sk FROM named WHERE time_sk > 0
    UNION SELECT time_key(day) FROM days
    UNION SELECT year * 10000 + month * 100 FROM years, (SELECT unnest(range(1, 13)) AS month)
    UNION SELECT year * 10000 FROM years
),
parts AS (
    SELECT time_sk,
        CASE WHEN time_sk % 10000 = 0 THEN 'Y' WHEN time_sk % 100 = 0 THEN 'M' ELSE 'D' END AS precision,
        CAST(time_sk // 10000 AS INTEGER) AS year,
        CAST(nullif(time_sk // 100 % 100, 0) AS INTEGER) AS month,
        CAST(nullif(time_sk % 100, 0) AS INTEGER) AS day_of_month
    FROM keys
),
members AS (
    SELECT
        time_sk,
        precision,
        CASE WHEN precision = 'D' THEN make_date(year, month, day_of_month) END AS day,
        year,
        CAST((month + 2) // 3 AS INTEGER) AS quarter,
        month,
        day_of_month
    FROM parts
)
SELECT
    *,
    CAST(isoyear(day) AS INTEGER) AS iso_year,
    CAST(weekofyear(day) AS INTEGER) AS iso_week,
    CAST(isodow(day) AS INTEGER) AS iso_weekday,
    CASE precision
        WHEN 'D' THEN CAST(day AS VARCHAR)
        WHEN 'M' THEN format('{:04d}-{:02d}', year, month)
        ELSE format('{:04d}', year)
    END AS label
FROM members
UNION ALL BY NAME
SELECT member_sk AS time_sk, 'NONE' AS precision, member AS label FROM reserved()
ORDER BY time_sk
