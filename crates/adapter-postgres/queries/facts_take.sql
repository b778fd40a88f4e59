-- Changes that were not told, oldest first, each with its order as it is now; kept from others for a while.
WITH due AS (
  SELECT id FROM tzero.untold WHERE kept_until <= (SELECT tzero.clock()) ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED),
taken AS (
  UPDATE tzero.untold u SET kept_until = tzero.clock() + $2::bigint * interval '1 millisecond'
  FROM due WHERE u.id = due.id RETURNING u.id, u.ticket)
SELECT t.id AS untold, p.product_id, o.* FROM taken t JOIN tzero.orders o USING (ticket)
JOIN tzero.product p ON p.sale_no = o.sale_no AND p.product_no = o.product_no ORDER BY t.id;
