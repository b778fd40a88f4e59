-- Taking units.

-- Units of one product in list order. A long range comes in one piece, so that one is popped first.
local function next_unit(free)
  if free.from >= free.to then
    free.at = free.at + 1
    if free.at > #free.ranges then
      free.ranges = redis.call('LPOP', free.key, free.popped and math.max(free.need, 1) or 1)
      if not free.ranges then error('fewer units are listed than counted') end
      free.popped, free.at = true, 1
    end
    free.from, free.to = unpack_from('>I4I4', free.ranges[free.at])
  end
  free.from, free.need = free.from + 1, free.need - 1
  return free.from - 1
end

local function put_back(free)
  local rest = {}
  for at = #free.ranges, free.at + 1, -1 do rest[#rest + 1] = free.ranges[at] end
  if free.from < free.to then rest[#rest + 1] = pack('>I4I4', free.from, free.to) end
  in_chunks('LPUSH', free.key, rest)
end

-- What a request that is over the limit is told: newest ticket, its stamp.
local function limit_answer(K, made, claims)
  local newest = sub(claims, -16)
  local record = made[newest] or redis.call('HGET', K[3], newest)
  if not record then error('a live claim has no record') end
  local ticket = ticket_of(record, newest)
  local stamped = ticket ~= newest and (made[ticket] or redis.call('HGET', K[3], ticket)) or record
  return 'L' .. ticket .. grant_of(stamped)
end

-- tz_hold: KEYS 1 to 6 and the free lists of the products in ARGV[2]. Then three arguments a request: claim; user and
-- product; quantity, limit, intent (0 take, 1 find, 2 take late, 3 weigh), place of the product in ARGV[2] from 1, 4 or 0 (has a ticket
-- of its own) (1 byte each), that ticket, the sealed identifier.
-- {'OK', writes, counters of the products, answers}. An answer: 'H' grant, 'R' recorded (1 byte) grant, 'K', 'L' ticket grant,
-- 'S' free (u32), 'A'; a grant is epoch, instant, units.
local function hold(K, A)
  local lease = lease_of(K, A)
  if not lease then return fenced(K) end
  local claims, fields, frees = {}, {}, {}
  local numbers = named(A)
  for p = 1, #numbers do
    frees[p] = {key = K[6 + p], ranges = {}, at = 0, from = 0, to = 0, need = 0}
  end
  for at = 3, #A, 3 do
    claims[#claims + 1], fields[#fields + 1] = A[at], A[at + 1]
    local free = frees[byte(A[at + 2], 4)]
    free.need = free.need + byte(A[at + 2], 1)
  end
  local known = redis.call('HMGET', K[3], unpack(claims))
  local users = redis.call('HMGET', K[4], unpack(fields))
  local stock, batch, newest = read_meta(K, lease, numbers)
  local now = math.floor(micros() / 1000)
  local stamp, name = pack('>I4I8', tonumber(lease.epoch), now), pack('>I4', batch)
  local answers, made, standing, records, given = {}, {}, {}, {}, {}
  for i = 1, #claims do
    local claim, field, ask = claims[i], fields[i], A[3 * i + 2]
    local quantity, limit, intent, p, own = byte(ask, 1, 5)
    local record = made[claim] or known[i]
    local mine = standing[field] or users[i]
    local has = mine and unpack_from('>I4', mine) or 0
    if record then
      if byte(record, 2) == quantity and sub(record, 3, 20) == field then
        answers[i] = 'R' .. (sub(record, 33, 36) == NO_BATCH and '\1' or '\0') .. grant_of(record)
      else
        answers[i] = 'K'
      end
    elseif intent == FIND then
      answers[i] = 'A'
    elseif mine and has + quantity > limit then
      answers[i] = limit_answer(K, made, mine)
    elseif not stock[p] or stock[p].free < quantity then
      answers[i] = 'S' .. pack('>I4', stock[p] and stock[p].free or 0)
    elseif intent == WEIGH then
      answers[i] = 'A'
    else
      local units = {}
      for u = 1, quantity do units[u] = pack('>I4', next_unit(frees[p])) end
      units = concat(units)
      stock[p].free, stock[p].held = stock[p].free - quantity, stock[p].held + quantity
      record = char(HELD + own, quantity) .. field .. stamp .. name .. char(quantity) .. units .. sub(ask, 6)
      made[claim], given[#given + 1] = record, claim
      records[#records + 1] = claim; records[#records + 1] = record
      standing[field] = pack('>I4', has + quantity) .. (mine and sub(mine, 5) or '') .. claim
      answers[i] = 'H' .. stamp .. units
    end
  end
  if #given > 0 then
    for p = 1, #frees do put_back(frees[p]) end
    local values = {}
    for field, value in pairs(standing) do values[#values + 1] = field; values[#values + 1] = value end
    redis.call('HSET', K[3], unpack(records))
    redis.call('HSET', K[4], unpack(values))
    add_batch(K, batch, math.max(now, newest), given)
    write_meta(K, stock, numbers, batch + 1, math.max(now, newest))
    lease.writes = lease.writes + 1
  end
  return {'OK', lease.writes, counts(stock, numbers), answers}
end

