-- Taking in an order costs what it writes and what is looked up for it: less of both, and every rule as before.

-- Effects that were decided one after the other, of one kind and product, are one row: claims of 16 bytes each, how many
-- units each has, and the units of all of them. An effect is told by its row and its place there; a row goes once all of
-- its effects were told.
ALTER TABLE tzero.effect RENAME COLUMN claim TO claims;
ALTER TABLE tzero.effect DROP CONSTRAINT effect_claim_check;
ALTER TABLE tzero.effect ADD COLUMN counts int[], ADD COLUMN told int[] NOT NULL DEFAULT '{}';
UPDATE tzero.effect SET counts = ARRAY[cardinality(units)];
ALTER TABLE tzero.effect ALTER COLUMN counts SET NOT NULL,
  ADD CONSTRAINT effect_has_claims CHECK (cardinality(counts) BETWEEN 1 AND 64 AND octet_length(claims) = 16 * cardinality(counts));
GRANT UPDATE (told) ON tzero.effect TO tzero_relay;

-- A row is found by its unit: an index over tickets was there to end rows, and cost as much as both rules together.
ALTER TABLE tzero.order_unit DROP CONSTRAINT order_unit_pkey;
ALTER TABLE tzero.order_unit REPLICA IDENTITY FULL;

-- One look for a whole batch, as before. What all units of a product have in common is read once, and not for each.
CREATE OR REPLACE FUNCTION tzero.units_fit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE of record; shards int[]; slices int4multirange[]; most int; unit int;
BEGIN
  PERFORM 1 FROM tzero.slice s
    WHERE (s.sale_no, s.product_no) IN (SELECT a.sale_no, a.product_no FROM added a)
    ORDER BY s.sale_no, s.product_no, s.shard FOR SHARE;
  FOR of IN SELECT DISTINCT a.sale_no, a.product_no FROM added a LOOP
    SELECT p.max_per_user INTO most FROM tzero.product p WHERE p.sale_no = of.sale_no AND p.product_no = of.product_no;
    SELECT array_agg(s.shard ORDER BY s.shard), array_agg(s.units ORDER BY s.shard) INTO shards, slices
      FROM tzero.slice s WHERE s.sale_no = of.sale_no AND s.product_no = of.product_no;
    SELECT a.unit_no INTO unit FROM added a
      -- An order is looked for by its ticket alone: offered more, the planner of a young table takes another index.
      LEFT JOIN tzero.orders o ON o.ticket = a.ticket
      WHERE a.sale_no = of.sale_no AND a.product_no = of.product_no
        AND (o.ticket IS NOT NULL AND o.sale_no = a.sale_no AND o.product_no = a.product_no AND o.user_hash = a.user_hash
          AND a.user_slot < most AND slices[array_position(shards, o.shard)] @> a.unit_no) IS NOT TRUE
      LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'units_fit',
        MESSAGE = format('unit %s does not fit its order, its slice of the stock or its buyer''s limit', unit);
    END IF;
  END LOOP;
  RETURN NULL;
END $$;
