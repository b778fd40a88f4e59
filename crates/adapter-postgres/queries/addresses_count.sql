-- Counts payment addresses that were made. $1 how many. A sequence: no row that everybody waits for; what is rolled back stays
-- counted.
SELECT count(nextval('tzero.address_made')) AS counted FROM generate_series(1, $1::bigint)
