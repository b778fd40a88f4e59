-- One page of a sale's orders; states with their reasons as state/reason.
SELECT * FROM tzero.orders
WHERE sale_no = $1 AND number > $2 AND ($3::bytea IS NULL OR user_hash = $3)
  AND ($4::text[] IS NULL OR state || '/' || coalesce(reason, '') = ANY($4))
ORDER BY number LIMIT $5;
