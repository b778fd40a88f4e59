-- What processes tell each other of the service: how many payment addresses were made.
CREATE SEQUENCE tzero.address_made;
GRANT SELECT ON tzero.address_made TO tzero_reader, tzero_api, tzero_allocator, tzero_worker, tzero_relay, tzero_recovery,
  tzero_operator;
GRANT USAGE ON tzero.address_made TO tzero_worker;

-- Which secret the identifiers here were derived from: its digest, written by the first process.
CREATE TABLE tzero.secret (one boolean PRIMARY KEY DEFAULT true CHECK (one), digest bytea NOT NULL CHECK (length(digest) = 32));
GRANT SELECT, INSERT ON tzero.secret TO tzero_api, tzero_allocator, tzero_worker, tzero_relay, tzero_recovery, tzero_operator;
