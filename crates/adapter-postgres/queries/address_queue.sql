-- How payment addresses stand, over all sales: orders that wait or are being worked on, those that nobody has taken, addresses made.
SELECT count(*) AS waiting, count(*) FILTER (WHERE work_due <= (SELECT tzero.clock())) AS idle,
  (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM tzero.address_made) AS made
FROM tzero.orders WHERE work = 'address'
