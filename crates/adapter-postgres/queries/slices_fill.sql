-- The first shard gets every unit that no other shard has.
INSERT INTO tzero.slice (sale_no, product_no, shard, stock, units)
SELECT p.sale_no, p.product_no, 0, p.stock, int4multirange(int4range(0, p.stock)) - coalesce(
  (SELECT range_agg(taken) FROM tzero.slice o, unnest(o.units) AS taken
   WHERE o.sale_no = p.sale_no AND o.product_no = p.product_no AND o.shard <> 0), '{}')
FROM tzero.product p WHERE p.sale_no = $1
ON CONFLICT (sale_no, product_no, shard) DO UPDATE SET units = EXCLUDED.units;
