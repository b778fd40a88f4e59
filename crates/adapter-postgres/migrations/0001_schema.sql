-- The ledger. Whatever an inventory says, and whoever writes here by hand: no unit has two live owners, none exists beyond
-- its slice of the stock, no buyer has more than the limit. Constraints see to it, not statements.
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- The ledger's one clock, in whole milliseconds. Not now(): that is the start of the transaction, before it waited.
CREATE FUNCTION tzero.clock() RETURNS timestamptz LANGUAGE sql VOLATILE
AS $$ SELECT date_trunc('milliseconds', clock_timestamp()) $$;

CREATE FUNCTION tzero.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, MESSAGE = TG_ARGV[0];
END $$;

CREATE TABLE tzero.sale (
  sale_no int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sale_id text NOT NULL UNIQUE CHECK (sale_id ~ '^[a-z0-9][a-z0-9-]{0,63}$'),
  name text NOT NULL,
  description text NOT NULL,
  message text NOT NULL,
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL,
  mode text NOT NULL CHECK (mode IN ('rush', 'draw')),
  hold_ms bigint NOT NULL CHECK (hold_ms >= 0),
  extension_ms bigint NOT NULL CHECK (extension_ms >= 0),
  shards int NOT NULL CHECK (shards BETWEEN 1 AND 65535),
  paused boolean NOT NULL,
  revision bigint NOT NULL CHECK (revision > 0)
);

CREATE TABLE tzero.product (
  sale_no int NOT NULL REFERENCES tzero.sale,
  product_no int NOT NULL CHECK (product_no BETWEEN 0 AND 65535),
  product_id text NOT NULL,
  name text NOT NULL,
  description text NOT NULL,
  image_url text,
  price_minor bigint NOT NULL,
  currency text NOT NULL,
  compare_minor bigint,
  compare_currency text,
  stock int NOT NULL CHECK (stock BETWEEN 0 AND 16777215),
  max_per_user smallint NOT NULL CHECK (max_per_user BETWEEN 0 AND 255),
  PRIMARY KEY (sale_no, product_no),
  UNIQUE (sale_no, product_no, stock),
  CHECK ((compare_minor IS NULL) = (compare_currency IS NULL))
);

-- Which shard may give out which units: no unit is in two slices.
CREATE TABLE tzero.slice (
  sale_no int NOT NULL,
  product_no int NOT NULL,
  shard int NOT NULL CHECK (shard BETWEEN 0 AND 65535),
  stock int NOT NULL,
  units int4multirange NOT NULL,
  PRIMARY KEY (sale_no, product_no, shard),
  FOREIGN KEY (sale_no, product_no, stock) REFERENCES tzero.product (sale_no, product_no, stock) ON UPDATE CASCADE,
  CONSTRAINT slice_within_stock CHECK (units <@ int4multirange(int4range(0, stock))),
  CONSTRAINT slice_disjoint EXCLUDE USING gist (sale_no WITH =, product_no WITH =, units WITH &&)
);

-- The term of a shard's inventory, and how far its claims are taken in.
CREATE TABLE tzero.shard_term (
  sale_no int NOT NULL REFERENCES tzero.sale,
  shard int NOT NULL CHECK (shard BETWEEN 0 AND 65535),
  epoch bigint NOT NULL CHECK (epoch BETWEEN 0 AND 4294967295),
  state text NOT NULL CHECK (state IN ('open', 'fencing', 'rebuild')),
  fence bigint CHECK (fence >= 0),
  position bigint NOT NULL CHECK (position >= 0),
  PRIMARY KEY (sale_no, shard),
  CHECK (fence IS NOT NULL OR state = 'fencing')
);
CREATE TRIGGER term_never_goes_back BEFORE UPDATE ON tzero.shard_term FOR EACH ROW
  WHEN (NEW.epoch < OLD.epoch OR NEW.position < OLD.position)
  EXECUTE FUNCTION tzero.refuse('neither the epoch nor the position of a shard goes back');

CREATE TABLE tzero.orders (
  ticket bytea PRIMARY KEY CHECK (octet_length(ticket) = 16),
  number bigint GENERATED ALWAYS AS IDENTITY,
  sale_no int NOT NULL,
  shard int NOT NULL,
  epoch bigint NOT NULL,
  issued_at timestamptz NOT NULL,
  user_hash bytea NOT NULL CHECK (octet_length(user_hash) = 16),
  user_id text NOT NULL,
  product_no int NOT NULL,
  quantity smallint NOT NULL CHECK (quantity BETWEEN 1 AND 255),
  amount_minor bigint NOT NULL,
  currency text NOT NULL,
  claim bytea NOT NULL CHECK (octet_length(claim) = 16),
  units int[] NOT NULL,
  live boolean NOT NULL,
  state text NOT NULL CHECK (state IN ('allocated', 'pending_payment', 'expiring', 'capturing', 'confirmed',
    'expired', 'cancelled', 'rejected', 'refunding', 'refunded')),
  reason text,
  allocated_at timestamptz NOT NULL,
  address_deadline timestamptz NOT NULL,
  expires_at timestamptz,
  extended boolean NOT NULL DEFAULT false,
  session_id text,
  session_url text,
  payment_id text,
  payment_minor bigint,
  payment_currency text,
  payment_stage text CHECK (payment_stage IN ('authorised', 'captured', 'voided', 'refunded')),
  late_attempts int NOT NULL DEFAULT 0,
  changed_at timestamptz NOT NULL,
  version bigint NOT NULL CHECK (version > 0),
  -- What follows from the rest, for indexes: the work that is due and from when on, and when the time is over.
  work text CHECK (work IN ('address', 'close', 'capture', 'late_payment', 'refund')),
  work_due timestamptz,
  deadline timestamptz,
  CONSTRAINT live_has_its_units CHECK (NOT live OR cardinality(units) = quantity),
  CONSTRAINT open_is_live CHECK (live OR state NOT IN ('allocated', 'pending_payment', 'expiring', 'capturing', 'confirmed')),
  CONSTRAINT dead_is_live_for_money_only CHECK (NOT live OR state NOT IN ('expired', 'cancelled', 'rejected')
    OR (payment_stage IS NOT NULL AND payment_stage IN ('authorised', 'captured'))),
  CONSTRAINT payable_has_an_address CHECK (state <> 'pending_payment' OR (session_url IS NOT NULL AND expires_at IS NOT NULL)),
  CONSTRAINT confirmed_is_paid CHECK (state <> 'confirmed' OR (payment_stage IS NOT NULL AND payment_stage = 'captured')),
  CHECK ((session_id IS NULL) = (session_url IS NULL)),
  CHECK (num_nulls(payment_id, payment_minor, payment_currency, payment_stage) IN (0, 4)),
  CHECK ((work IS NULL) = (work_due IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX orders_of_sale ON tzero.orders (sale_no, number);
CREATE INDEX orders_work ON tzero.orders (work, work_due, number) WHERE work IS NOT NULL;
CREATE INDEX orders_deadline ON tzero.orders (sale_no, product_no, deadline) WHERE deadline IS NOT NULL;
CREATE TRIGGER order_keeps_what_it_is BEFORE UPDATE ON tzero.orders FOR EACH ROW
  WHEN (NEW.version < OLD.version OR (NEW.ticket, NEW.sale_no, NEW.shard, NEW.product_no, NEW.quantity, NEW.user_hash)
    IS DISTINCT FROM (OLD.ticket, OLD.sale_no, OLD.shard, OLD.product_no, OLD.quantity, OLD.user_hash))
  EXECUTE FUNCTION tzero.refuse('an order keeps its buyer, product, quantity and shard, and its version only grows');

-- Who owns which unit, since which version of its order. A row is written once and may only end; a ticket that late money
-- gives the same unit again owns it since another version.
CREATE TABLE tzero.order_unit (
  ticket bytea NOT NULL,
  since bigint NOT NULL CHECK (since > 0),
  sale_no int NOT NULL,
  product_no int NOT NULL,
  unit_no int NOT NULL CHECK (unit_no >= 0),
  user_hash bytea NOT NULL,
  user_slot smallint NOT NULL CHECK (user_slot >= 0),
  live boolean NOT NULL,
  PRIMARY KEY (ticket, since, unit_no)
);
-- What tells rows apart stands first, and differs: no lookup can take the wrong index, not even in a table that was empty
-- a moment ago.
CREATE UNIQUE INDEX order_unit_live ON tzero.order_unit (unit_no, product_no, sale_no) WHERE live;
CREATE UNIQUE INDEX order_unit_limit ON tzero.order_unit (user_hash, product_no, sale_no, user_slot) WHERE live;
CREATE TRIGGER unit_may_only_end BEFORE UPDATE ON tzero.order_unit FOR EACH ROW
  WHEN (NEW.live OR (NEW.ticket, NEW.since, NEW.sale_no, NEW.product_no, NEW.unit_no, NEW.user_hash, NEW.user_slot)
    IS DISTINCT FROM (OLD.ticket, OLD.since, OLD.sale_no, OLD.product_no, OLD.unit_no, OLD.user_hash, OLD.user_slot))
  EXECUTE FUNCTION tzero.refuse('the row of a unit is written once and may only end');

-- One look for a whole batch, where foreign keys would look once a row: each new row fits its order, its shard's slice
-- and its buyer's limit. The slices are held, so that none shrinks meanwhile.
CREATE FUNCTION tzero.units_fit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE unit int;
BEGIN
  PERFORM 1 FROM tzero.slice s
    WHERE (s.sale_no, s.product_no) IN (SELECT a.sale_no, a.product_no FROM added a)
    ORDER BY s.sale_no, s.product_no, s.shard FOR SHARE;
  SELECT a.unit_no INTO unit FROM added a
    LEFT JOIN tzero.orders o ON o.ticket = a.ticket
    LEFT JOIN tzero.product p ON p.sale_no = a.sale_no AND p.product_no = a.product_no
    LEFT JOIN tzero.slice s ON s.sale_no = a.sale_no AND s.product_no = a.product_no AND s.shard = o.shard
    -- An order is looked for by its ticket alone: offered more, the planner of a young table takes another index.
    WHERE (o.ticket IS NOT NULL AND o.sale_no = a.sale_no AND o.product_no = a.product_no AND o.user_hash = a.user_hash
      AND a.user_slot < p.max_per_user AND s.units @> a.unit_no) IS NOT TRUE
    LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'units_fit',
      MESSAGE = format('unit %s does not fit its order, its slice of the stock or its buyer''s limit', unit);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER units_fit AFTER INSERT ON tzero.order_unit REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION tzero.units_fit();

-- A slice may not lose a unit that somebody owns.
CREATE FUNCTION tzero.slice_keeps_owned() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE lost int4multirange := OLD.units;
BEGIN
  IF TG_OP = 'UPDATE' THEN lost := OLD.units - NEW.units; END IF;
  IF NOT isempty(lost) AND EXISTS (SELECT FROM tzero.order_unit u JOIN tzero.orders o USING (ticket)
      WHERE u.live AND u.sale_no = OLD.sale_no AND u.product_no = OLD.product_no AND o.shard = OLD.shard
        AND lost @> u.unit_no) THEN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'slice_keeps_owned',
      MESSAGE = 'a slice may not lose a unit that an order owns';
  END IF;
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER slice_keeps_owned BEFORE UPDATE OR DELETE ON tzero.slice
  FOR EACH ROW EXECUTE FUNCTION tzero.slice_keeps_owned();

-- What the inventory must be told: written with the change that causes it, deleted once it was applied.
CREATE TABLE tzero.effect (
  sale_no int NOT NULL,
  shard int NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL CHECK (kind IN ('pin', 'release', 'confirm', 'return', 'restock')),
  product_no int NOT NULL,
  claim bytea NOT NULL CHECK (octet_length(claim) = 16),
  units int[] NOT NULL,
  PRIMARY KEY (sale_no, shard, id)
);

-- The story of orders. The first step of an order that was allocated is its own row: allocated, at allocated_at.
CREATE TABLE tzero.step (
  ticket bytea NOT NULL,
  version bigint NOT NULL,
  at timestamptz NOT NULL,
  state text NOT NULL,
  reason text,
  PRIMARY KEY (ticket, version)
);

-- Events of providers that were taken in.
CREATE TABLE tzero.event (
  provider text NOT NULL,
  event text NOT NULL,
  noted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (provider, event)
);

CREATE TABLE tzero.restock (
  sale_no int NOT NULL REFERENCES tzero.sale,
  key text NOT NULL,
  product_no int NOT NULL,
  units bigint NOT NULL,
  made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (sale_no, key)
);

-- What operators did.
CREATE TABLE tzero.action (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  sale_id text,
  detail text NOT NULL
);

-- The running term of a shard, kept from moving until the transaction ends: for those who may not write terms.
CREATE FUNCTION tzero.running_term(of_sale int, of_shard int) RETURNS SETOF tzero.shard_term
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT * FROM tzero.shard_term WHERE sale_no = of_sale AND shard = of_shard FOR SHARE $$;
