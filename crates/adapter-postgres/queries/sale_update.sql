-- A sale as it is from now on.
UPDATE tzero.sale SET name = $2, description = $3, message = $4, starts_at = $5, ends_at = $6, mode = $7, hold_ms = $8,
  extension_ms = $9, shards = $10, paused = $11, challenge = $12, revision = revision + 1
WHERE sale_id = $1;
