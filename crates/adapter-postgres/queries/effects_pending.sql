-- Effects of a shard that wait, oldest first, each row with the shard's epoch; one row without an effect where none waits.
SELECT t.epoch, e.id, e.kind, e.product_no, e.claims, e.counts, e.units, e.told FROM tzero.shard_term t
LEFT JOIN LATERAL (
  SELECT w.*, sum(cardinality(w.counts) - cardinality(w.told)) OVER before AS earlier
  FROM tzero.effect w WHERE w.sale_no = t.sale_no AND w.shard = t.shard
  WINDOW before AS (ORDER BY w.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
  ORDER BY w.id LIMIT least($3::bigint, 64)) AS e ON coalesce(e.earlier, 0) < $3
WHERE t.sale_no = $1 AND t.shard = $2 ORDER BY e.id;
