-- Products of a sale, each with the ranges of units that the shard may give out.
SELECT p.product_no, p.stock, p.max_per_user, array_remove(array_agg(lower(part) ORDER BY part), NULL) AS firsts,
  array_remove(array_agg(upper(part) ORDER BY part), NULL) AS ends
FROM tzero.product p
LEFT JOIN tzero.slice s ON s.sale_no = p.sale_no AND s.product_no = p.product_no AND s.shard = $2
LEFT JOIN LATERAL unnest(s.units) AS part ON true
WHERE p.sale_no = $1 GROUP BY p.sale_no, p.product_no ORDER BY p.product_no;
