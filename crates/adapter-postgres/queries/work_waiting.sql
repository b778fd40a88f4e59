-- Orders for which work is due or under way. $1 which work.
SELECT count(*) AS waiting FROM tzero.orders WHERE work = $1
