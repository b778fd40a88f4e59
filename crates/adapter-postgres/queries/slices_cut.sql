-- Slices lose what does not exist any more; all of it goes where the product goes.
WITH kept AS (
  UPDATE tzero.slice s SET units = s.units * int4multirange(int4range(0, now.stock))
  FROM unnest($2::int[], $3::int[]) AS now(product_no, stock)
  WHERE s.sale_no = $1 AND s.product_no = now.product_no AND now.stock < s.stock)
DELETE FROM tzero.slice WHERE sale_no = $1 AND product_no <> ALL ($2::int[]);
