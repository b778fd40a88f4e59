-- Tickets whose time is over, longest over first. Only products that have a deadline at all are looked at: from each one
-- the index leads to the next.
WITH RECURSIVE limited AS (
  (SELECT sale_no, product_no FROM tzero.orders WHERE deadline IS NOT NULL ORDER BY sale_no, product_no LIMIT 1)
  UNION ALL
  SELECT next.sale_no, next.product_no FROM limited, LATERAL (
    SELECT o.sale_no, o.product_no FROM tzero.orders o
    WHERE o.deadline IS NOT NULL AND (o.sale_no, o.product_no) > (limited.sale_no, limited.product_no)
    ORDER BY o.sale_no, o.product_no LIMIT 1) AS next)
SELECT over.ticket FROM limited, LATERAL (
  SELECT o.ticket, o.deadline, o.number FROM tzero.orders o
  WHERE o.sale_no = limited.sale_no AND o.product_no = limited.product_no AND o.deadline IS NOT NULL
    AND o.deadline <= (SELECT tzero.clock())
  ORDER BY o.deadline LIMIT $1) AS over
ORDER BY over.deadline, over.number LIMIT $1;
