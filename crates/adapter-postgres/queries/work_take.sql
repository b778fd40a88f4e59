-- Orders for which work is due, longest due first, put off by a lease. What somebody else is taking is passed over.
WITH due AS (
  SELECT ticket, work_due AS was FROM tzero.orders
  WHERE work = $1 AND work_due <= (SELECT tzero.clock())
  ORDER BY work_due, number LIMIT $2 FOR UPDATE SKIP LOCKED),
taken AS (
  UPDATE tzero.orders o SET work_due = tzero.clock() + $3::bigint * interval '1 millisecond'
  FROM due WHERE o.ticket = due.ticket RETURNING o.*, due.was)
SELECT * FROM taken ORDER BY was, number;
