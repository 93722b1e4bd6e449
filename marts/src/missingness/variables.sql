-- grain:  one row per variable
-- inputs: numbered
SELECT DISTINCT variable, domain, test_code FROM numbered ORDER BY variable
