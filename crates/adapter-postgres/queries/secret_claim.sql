-- The digest of the secret that this database belongs to, and the fleet, each written where it was not there. $1 the digest of
-- ours, $2 the name of our fleet.
SELECT of_digest, of_fleet FROM tzero.claim_secret($1, $2)
