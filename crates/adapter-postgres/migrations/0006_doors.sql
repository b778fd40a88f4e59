-- A payment session that the end of the grace left open is work until the provider says that it is closed. An ended order
-- keeps the address only while that is so; of those that ended before, nobody knows any more.
ALTER TABLE tzero.orders DROP CONSTRAINT orders_work_check;
ALTER TABLE tzero.orders ADD CONSTRAINT orders_work_check
  CHECK (work IN ('address', 'close', 'capture', 'late_payment', 'refund', 'late_close'));
UPDATE tzero.orders SET session_url = ''
  WHERE state IN ('expired', 'cancelled') AND payment_id IS NULL AND session_url <> '';
