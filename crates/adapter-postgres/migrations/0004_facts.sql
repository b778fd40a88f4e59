-- Changes of orders that the shop's own systems were not told of: written with the change, deleted once it was told.
CREATE TABLE tzero.untold (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  ticket bytea NOT NULL,
  -- While somebody tells it.
  kept_until timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 80);
GRANT SELECT ON tzero.untold TO tzero_reader;
GRANT INSERT ON tzero.untold TO tzero_api, tzero_allocator, tzero_worker;
GRANT SELECT, UPDATE, DELETE ON tzero.untold TO tzero_relay;
