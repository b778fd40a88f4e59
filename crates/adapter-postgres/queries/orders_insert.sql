-- New orders of one shard, in the order in which their claims lie in the log.
COPY tzero.orders (ticket, sale_no, shard, epoch, issued_at, user_hash, user_id, product_no, quantity, amount_minor,
  currency, claim, units, live, state, reason, allocated_at, address_deadline, changed_at, version, work, work_due, deadline)
FROM STDIN (FORMAT binary);
