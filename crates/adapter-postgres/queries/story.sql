-- The story of an order. The first step of an order that was allocated is its own row.
SELECT allocated_at AS at, 1::bigint AS version, 'allocated' AS state, NULL AS reason FROM tzero.orders o
WHERE ticket = $1 AND NOT EXISTS (SELECT FROM tzero.step s WHERE s.ticket = o.ticket AND s.version = 1)
UNION ALL
SELECT at, version, state, reason FROM tzero.step WHERE ticket = $1
ORDER BY version;
