-- A new sale; no row where there is one of that name.
INSERT INTO tzero.sale (sale_id, name, description, message, starts_at, ends_at, mode, hold_ms, extension_ms, shards,
  paused, challenge, revision)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1)
ON CONFLICT (sale_id) DO NOTHING RETURNING sale_no;
