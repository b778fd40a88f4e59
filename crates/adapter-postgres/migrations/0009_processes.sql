-- A group for each role of a process, with what that role does and no more. A process of several roles needs all of their
-- groups. Beside them stay those that name no role (tzero_api, tzero_worker, tzero_recovery, tzero_operator): users who have them
-- go on while they are given the others.
DO $$
DECLARE wanted text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['tzero_gateway', 'tzero_orders', 'tzero_processor', 'tzero_expiration', 'tzero_reconciler'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL; -- Roles belong to all databases of a server: another one made it meanwhile.
      END;
    END IF;
  END LOOP;
END $$;

-- What an order is never changes, whoever asks: who bought what at which price, under which ticket. Claim and units change
-- for late money only, and so only while nothing is the order's.
CREATE OR REPLACE TRIGGER order_keeps_what_it_is BEFORE UPDATE ON tzero.orders FOR EACH ROW
  WHEN (NEW.version < OLD.version
    OR (NEW.ticket, NEW.number, NEW.sale_no, NEW.shard, NEW.epoch, NEW.issued_at, NEW.user_hash, NEW.user_id, NEW.product_no,
        NEW.quantity, NEW.amount_minor, NEW.currency, NEW.allocated_at, NEW.address_deadline)
      IS DISTINCT FROM (OLD.ticket, OLD.number, OLD.sale_no, OLD.shard, OLD.epoch, OLD.issued_at, OLD.user_hash, OLD.user_id,
        OLD.product_no, OLD.quantity, OLD.amount_minor, OLD.currency, OLD.allocated_at, OLD.address_deadline)
    OR (OLD.live AND (NEW.claim, NEW.units) IS DISTINCT FROM (OLD.claim, OLD.units)))
  EXECUTE FUNCTION tzero.refuse('an order keeps what it is: its buyer, product, price, and claim while it is live; its version only grows');

-- Ends the rows of units whose orders are live no more: for those who may not write who owns what.
CREATE FUNCTION tzero.end_units(tickets bytea[], sales int[], products int[], numbers int[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE tzero.order_unit u SET live = false
  FROM unnest(tickets, sales, products, numbers) AS ended(ticket, sale_no, product_no, unit_no)
  WHERE u.live AND u.unit_no = ended.unit_no AND u.product_no = ended.product_no AND u.sale_no = ended.sale_no
    AND u.ticket = ended.ticket AND EXISTS (SELECT FROM tzero.orders o WHERE o.ticket = ended.ticket AND NOT o.live);
END $$;

-- The digest of the secret that this database belongs to, and the fleet, each written where it was not there: for those who
-- may not write either.
CREATE FUNCTION tzero.claim_secret(ours bytea, our_fleet text) RETURNS TABLE (of_digest bytea, of_fleet text)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH mine AS (
    INSERT INTO tzero.secret AS known (digest, fleet) VALUES (ours, our_fleet)
    ON CONFLICT (one) DO UPDATE SET fleet = excluded.fleet WHERE known.fleet IS NULL AND known.digest = excluded.digest
    RETURNING digest, fleet)
  SELECT digest, fleet FROM mine UNION ALL SELECT digest, fleet FROM tzero.secret LIMIT 1
$$;
REVOKE ALL ON FUNCTION tzero.end_units(bytea[], int[], int[], int[]), tzero.claim_secret(bytea, text) FROM PUBLIC;

-- Every process reads, and says whose the database is to be.
GRANT USAGE ON SCHEMA tzero TO tzero_gateway, tzero_orders, tzero_processor, tzero_expiration, tzero_reconciler;
GRANT SELECT ON ALL TABLES IN SCHEMA tzero TO tzero_gateway, tzero_orders, tzero_processor, tzero_expiration, tzero_reconciler;
REVOKE SELECT ON tzero.untold FROM tzero_gateway, tzero_orders, tzero_processor, tzero_expiration, tzero_reconciler;
GRANT SELECT ON tzero.address_made TO tzero_gateway, tzero_orders, tzero_processor, tzero_expiration, tzero_reconciler;
GRANT EXECUTE ON FUNCTION tzero.clock()
  TO tzero_gateway, tzero_orders, tzero_processor, tzero_expiration, tzero_reconciler;
REVOKE ALL ON tzero.secret FROM tzero_gateway, tzero_orders, tzero_processor, tzero_expiration, tzero_reconciler,
  tzero_api, tzero_allocator, tzero_worker, tzero_relay, tzero_recovery, tzero_operator;
GRANT EXECUTE ON FUNCTION tzero.claim_secret(bytea, text) TO tzero_gateway, tzero_orders, tzero_allocator, tzero_processor,
  tzero_expiration, tzero_relay, tzero_reconciler, tzero_api, tzero_worker, tzero_recovery, tzero_operator;

-- Whoever moves orders: the columns that move, the story, what the inventory and the shop are told. That an order is live no
-- more ends its units; nobody here writes who owns what.
REVOKE UPDATE ON tzero.orders FROM tzero_api, tzero_worker;
GRANT UPDATE (live, state, reason, expires_at, extended, session_id, session_url, payment_id, payment_minor, payment_currency,
  payment_stage, late_attempts, changed_at, version, work, work_due, deadline) ON tzero.orders
  TO tzero_gateway, tzero_orders, tzero_processor, tzero_expiration, tzero_api, tzero_worker, tzero_operator;
GRANT INSERT ON tzero.step, tzero.effect, tzero.untold
  TO tzero_gateway, tzero_orders, tzero_processor, tzero_expiration, tzero_api, tzero_worker, tzero_operator;
GRANT EXECUTE ON FUNCTION tzero.end_units(bytea[], int[], int[], int[])
  TO tzero_gateway, tzero_orders, tzero_processor, tzero_expiration, tzero_api, tzero_worker, tzero_operator;
-- The version before names them in the statement that moves orders; what they may become, the trigger says.
GRANT UPDATE (claim, units) ON tzero.orders TO tzero_api, tzero_worker;

-- Defines sales and opens their shards; webhooks, refunds.
GRANT INSERT ON tzero.sale, tzero.product, tzero.slice, tzero.shard_term, tzero.restock, tzero.action, tzero.event
  TO tzero_gateway, tzero_operator;
GRANT UPDATE (name, description, message, starts_at, ends_at, mode, hold_ms, extension_ms, shards, paused, challenge, revision)
  ON tzero.sale TO tzero_gateway;
GRANT UPDATE (product_id, name, description, image_url, price_minor, currency, compare_minor, compare_currency, stock,
  max_per_user) ON tzero.product TO tzero_gateway;
GRANT UPDATE (units) ON tzero.slice TO tzero_gateway;
GRANT DELETE ON tzero.product, tzero.slice TO tzero_gateway;
GRANT UPDATE (epoch, state, fence) ON tzero.shard_term TO tzero_gateway, tzero_operator;
GRANT DELETE ON tzero.effect TO tzero_gateway, tzero_operator;

-- A buyer who gives up waits until the units are back: effects are brought to the inventory at once.
GRANT UPDATE (told), DELETE ON tzero.effect TO tzero_orders, tzero_api;

-- Takes claims in, and brings effects to the inventory.
GRANT UPDATE (told), DELETE ON tzero.effect TO tzero_allocator;

-- Payment addresses and money; late money takes units again.
GRANT UPDATE (claim, units) ON tzero.orders TO tzero_processor;
GRANT INSERT ON tzero.order_unit TO tzero_processor;
GRANT EXECUTE ON FUNCTION tzero.running_term(int, int) TO tzero_processor;
GRANT USAGE ON tzero.address_made TO tzero_processor;

-- Tells the shop's own systems how orders stand; no effect is its work.
REVOKE UPDATE, DELETE ON tzero.effect FROM tzero_relay;
REVOKE UPDATE (told) ON tzero.effect FROM tzero_relay;

-- Renews shards, and takes in what their logs have for that.
GRANT UPDATE (epoch, state, fence, position) ON tzero.shard_term TO tzero_reconciler, tzero_recovery;
GRANT DELETE ON tzero.effect TO tzero_reconciler;
GRANT INSERT ON tzero.orders, tzero.order_unit, tzero.step, tzero.effect, tzero.untold TO tzero_reconciler, tzero_recovery;
