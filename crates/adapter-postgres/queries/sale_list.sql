-- Every sale, by identifier.
SELECT * FROM tzero.sale ORDER BY sale_id;
