-- New orders of one shard, in the order in which their claims lie in the log.
INSERT INTO tzero.orders (ticket, sale_no, shard, epoch, issued_at, user_hash, user_id, product_no, quantity,
  amount_minor, currency, claim, units, live, state, reason, allocated_at, address_deadline, changed_at, version, work,
  work_due, deadline)
SELECT c.ticket, $1, $2, c.epoch, c.issued_at, c.user_hash, c.user_id, c.product_no, c.quantity, c.amount_minor,
  c.currency, c.ticket, ($19::int[])[c.first:c.last], c.live, c.state, c.reason, $3::timestamptz, $4::timestamptz, $3, 1, c.work,
  CASE WHEN c.work IS NOT NULL THEN $3::timestamptz END, c.deadline
FROM unnest($5::bytea[], $6::bigint[], $7::timestamptz[], $8::bytea[], $9::text[], $10::int[], $11::smallint[],
  $12::bigint[], $13::text[], $14::boolean[], $15::text[], $16::text[], $17::int[], $18::int[], $20::text[],
  $21::timestamptz[]) WITH ORDINALITY
  AS c(ticket, epoch, issued_at, user_hash, user_id, product_no, quantity, amount_minor, currency, live, state, reason,
    first, last, work, deadline, place)
ORDER BY c.place;
