-- Who owns these units of a product, and what these buyers own of it. OFFSET 0 keeps the planner of a young table from
-- reading the units first and looking for each of them among those that are asked about.
SELECT u.unit_no, u.user_hash, u.user_slot, u.ticket FROM unnest($3::int[]) AS asked(unit_no)
CROSS JOIN LATERAL (SELECT * FROM tzero.order_unit o
  WHERE o.live AND o.unit_no = asked.unit_no AND o.product_no = $2 AND o.sale_no = $1 OFFSET 0) AS u
UNION ALL
SELECT u.unit_no, u.user_hash, u.user_slot, u.ticket FROM unnest($4::bytea[]) AS buyer(user_hash)
CROSS JOIN LATERAL (SELECT * FROM tzero.order_unit o
  WHERE o.live AND o.user_hash = buyer.user_hash AND o.product_no = $2 AND o.sale_no = $1 OFFSET 0) AS u;
