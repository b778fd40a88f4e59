-- The digest of the secret that this database belongs to, and the fleet, each written where it was not there. $1 the digest of
-- ours, $2 the name of our fleet.
WITH mine AS (
  INSERT INTO tzero.secret AS known (digest, fleet) VALUES ($1, $2)
  ON CONFLICT (one) DO UPDATE SET fleet = excluded.fleet WHERE known.fleet IS NULL AND known.digest = excluded.digest
  RETURNING digest, fleet)
SELECT digest, fleet FROM mine UNION ALL SELECT digest, fleet FROM tzero.secret LIMIT 1
