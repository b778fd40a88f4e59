-- Steps of stories.
INSERT INTO tzero.step (ticket, version, at, state, reason)
SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[]);
