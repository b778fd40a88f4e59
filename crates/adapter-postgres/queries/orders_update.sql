-- Orders as they are from now on.
UPDATE tzero.orders o SET claim = c.claim, units = ($21::int[])[c.first:c.last], live = c.live, state = c.state,
  reason = c.reason, expires_at = c.expires_at, extended = c.extended, session_id = c.session_id,
  session_url = c.session_url, payment_id = c.payment_id, payment_minor = c.payment_minor,
  payment_currency = c.payment_currency, payment_stage = c.payment_stage, late_attempts = c.late_attempts,
  changed_at = c.changed_at, version = c.version, work = c.work,
  work_due = CASE WHEN c.work IS NOT NULL THEN c.changed_at END, deadline = c.deadline
FROM unnest($1::bytea[], $2::bytea[], $3::boolean[], $4::text[], $5::text[], $6::timestamptz[], $7::boolean[],
  $8::text[], $9::text[], $10::text[], $11::bigint[], $12::text[], $13::text[], $14::int[], $15::timestamptz[],
  $16::bigint[], $17::text[], $18::timestamptz[], $19::int[], $20::int[])
  AS c(ticket, claim, live, state, reason, expires_at, extended, session_id, session_url, payment_id, payment_minor,
    payment_currency, payment_stage, late_attempts, changed_at, version, work, deadline, first, last)
WHERE o.ticket = c.ticket;
