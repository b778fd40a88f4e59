-- Orders as they are from now on.
UPDATE tzero.orders o SET live = c.live, state = c.state, reason = c.reason, expires_at = c.expires_at,
  extended = c.extended, session_id = c.session_id, session_url = c.session_url, payment_id = c.payment_id,
  payment_minor = c.payment_minor, payment_currency = c.payment_currency, payment_stage = c.payment_stage,
  late_attempts = c.late_attempts, changed_at = c.changed_at, version = c.version, work = c.work,
  work_due = CASE WHEN c.work IS NOT NULL THEN c.changed_at END, deadline = c.deadline
FROM unnest($1::bytea[], $2::boolean[], $3::text[], $4::text[], $5::timestamptz[], $6::boolean[], $7::text[], $8::text[],
  $9::text[], $10::bigint[], $11::text[], $12::text[], $13::int[], $14::timestamptz[], $15::bigint[], $16::text[],
  $17::timestamptz[])
  AS c(ticket, live, state, reason, expires_at, extended, session_id, session_url, payment_id, payment_minor,
    payment_currency, payment_stage, late_attempts, changed_at, version, work, deadline)
WHERE o.ticket = c.ticket;
