-- Which fleet this database belongs to: its name, written by the first process that has the database's secret. Under another
-- name keys and topics are others: two fleets on one database would renew one another's shards for ever.
ALTER TABLE tzero.secret ADD COLUMN fleet text CHECK (length(fleet) <= 64);
GRANT UPDATE (fleet) ON tzero.secret TO tzero_api, tzero_allocator, tzero_worker, tzero_relay, tzero_recovery, tzero_operator;
