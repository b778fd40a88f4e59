-- The earliest deadline of each of these products.
SELECT asked.sale_no, asked.product_no, first.deadline
FROM unnest($1::int[], $2::int[]) AS asked(sale_no, product_no),
LATERAL (SELECT min(o.deadline) AS deadline FROM tzero.orders o WHERE o.sale_no = asked.sale_no
  AND o.product_no = asked.product_no AND o.deadline IS NOT NULL) AS first;
