-- Steps of stories, and that each is to be told.
WITH steps AS (
  INSERT INTO tzero.step (ticket, version, at, state, reason)
  SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[]))
INSERT INTO tzero.untold (ticket) SELECT s.ticket FROM unnest($1::bytea[]) WITH ORDINALITY AS s(ticket, place)
ORDER BY s.place;
