-- Rights by what a process does. These are groups that cannot log in: give them to the users of the processes, e.g.
-- GRANT tzero_allocator TO alice. Where the migrating user may not make roles, they must be there already.
DO $$
DECLARE wanted text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['tzero_reader', 'tzero_api', 'tzero_allocator', 'tzero_worker', 'tzero_relay',
    'tzero_recovery', 'tzero_operator'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL; -- Roles belong to all databases of a server: another one made it meanwhile.
      END;
    END IF;
  END LOOP;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA tzero FROM PUBLIC;
GRANT USAGE ON SCHEMA tzero TO tzero_reader, tzero_api, tzero_allocator, tzero_worker, tzero_relay, tzero_recovery,
  tzero_operator;
GRANT SELECT ON ALL TABLES IN SCHEMA tzero TO tzero_reader, tzero_api, tzero_allocator, tzero_worker, tzero_relay,
  tzero_recovery, tzero_operator;
GRANT EXECUTE ON FUNCTION tzero.clock() TO tzero_reader, tzero_api, tzero_allocator, tzero_worker, tzero_relay,
  tzero_recovery, tzero_operator;

-- What buyers and providers ask for: changes of orders that move no unit.
GRANT UPDATE ON tzero.orders TO tzero_api;
GRANT INSERT ON tzero.step, tzero.effect, tzero.event TO tzero_api;

-- Takes claims in.
GRANT UPDATE (position) ON tzero.shard_term TO tzero_allocator;
GRANT INSERT ON tzero.orders, tzero.order_unit, tzero.step, tzero.effect TO tzero_allocator;

-- Payment addresses, the end of holds, money.
GRANT UPDATE ON tzero.orders TO tzero_worker;
GRANT INSERT, UPDATE (live) ON tzero.order_unit TO tzero_worker;
GRANT INSERT ON tzero.step, tzero.effect, tzero.event TO tzero_worker;
GRANT EXECUTE ON FUNCTION tzero.running_term(int, int) TO tzero_worker;

-- Brings effects to the inventory.
GRANT DELETE ON tzero.effect TO tzero_relay;

-- Renews shards.
GRANT UPDATE (epoch, state, fence) ON tzero.shard_term TO tzero_recovery;
GRANT DELETE ON tzero.effect TO tzero_recovery;

-- Defines sales.
GRANT INSERT, UPDATE ON tzero.sale, tzero.product, tzero.slice TO tzero_operator;
GRANT DELETE ON tzero.product, tzero.slice TO tzero_operator;
GRANT INSERT ON tzero.shard_term, tzero.restock, tzero.action, tzero.effect TO tzero_operator;
