-- The digest of the secret that this database belongs to, written where there was none. $1 the digest of ours.
WITH mine AS (INSERT INTO tzero.secret (digest) VALUES ($1) ON CONFLICT DO NOTHING RETURNING digest)
SELECT digest FROM mine UNION ALL SELECT digest FROM tzero.secret LIMIT 1
