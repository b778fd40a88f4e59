-- What the ledger tells the inventory, and what was published again.

-- Takes `claim` out of what its user has.
local function leave(standing, field, claim, units)
  local mine = standing[field]
  if not mine then return end
  local rest, found = {}, false
  for at = 5, #mine, 16 do
    local other = sub(mine, at, at + 15)
    if other == claim and not found then found = true else rest[#rest + 1] = other end
  end
  local left = math.max((unpack_from('>I4', mine)) - units, 0)
  standing[field] = #rest > 0 and pack('>I4', left) .. concat(rest) or false
end

-- Units go to the end of the list; neighbours in one range.
local function give_back(ranges, from, to)
  local last = ranges[#ranges]
  if last and last[2] == from then last[2] = to else ranges[#ranges + 1] = {from, to} end
end

local PIN, RELEASE, CONFIRM, RETURN, RESTOCK = 1, 2, 3, 4, 5
local FROM = {[PIN] = HELD, [RELEASE] = HELD, [CONFIRM] = HELD, [RETURN] = SOLD}

local function restock(stock, ranges, body)
  if not stock or #body ~= 10 then return 0 end
  local from, to = unpack_from('>I4I4', body, 3)
  if stock.total ~= from or to <= from then return 0 end
  stock.total, stock.free = to, stock.free + to - from
  give_back(ranges, from, to)
  return 1
end

-- Releases, confirms or returns a record that matches; gives the record as it is then.
local function move(kind, stock, ranges, record)
  local units, count = units_of(record), byte(record, 37)
  if kind == CONFIRM then
    stock.held, stock.sold = stock.held - count, stock.sold + count
    return SOLD, count, units
  end
  for at = 1, #units, 4 do
    local unit = unpack_from('>I4', units, at)
    give_back(ranges, unit, unit + 1)
  end
  stock.free = stock.free + count
  if kind == RELEASE then stock.held = stock.held - count else stock.sold = stock.sold - count end
  return GONE, 0, ''
end

local function write_settled(K, numbers, stock, batch, at, changed)
  local set, drop = {}, {}
  for field, value in pairs(changed.standing) do
    if value then set[#set + 1] = field; set[#set + 1] = value else drop[#drop + 1] = field end
  end
  if #changed.records > 0 then redis.call('HSET', K[3], unpack(changed.records)) end
  if #set > 0 then redis.call('HSET', K[4], unpack(set)) end
  if #drop > 0 then redis.call('HDEL', K[4], unpack(drop)) end
  for p = 1, #numbers do
    local values = {}
    for r, range in ipairs(changed.ranges[p]) do values[r] = pack('>I4I4', range[1], range[2]) end
    in_chunks('RPUSH', K[6 + p], values)
  end
  acknowledge(K, changed.done)
  write_meta(K, stock, numbers, batch, at)
end

-- tz_settle: KEYS 1 to 6 and the free lists of the products in ARGV[2]. Then two arguments an effect: claim; kind (1 pin,
-- 2 release, 3 confirm, 4 return, 5 restock), place of the product in ARGV[2] from 1 (1 byte each), units.
-- {'OK', writes, counters of the products, 1 or 0 for each effect}.
local function settle(K, A)
  local lease = lease_of(K, A)
  if not lease then return fenced(K) end
  local claims, fields, numbers = {}, {}, named(A)
  for at = 3, #A, 2 do claims[#claims + 1] = A[at] end
  local known = redis.call('HMGET', K[3], unpack(claims))
  for i = 1, #claims do
    local kind = byte(A[2 * i + 2], 1)
    if known[i] and (kind == RELEASE or kind == RETURN) then fields[#fields + 1] = sub(known[i], 3, 20) end
  end
  local changed = {standing = {}, records = {}, ranges = {}, done = {}}
  if #fields > 0 then
    local users = redis.call('HMGET', K[4], unpack(fields))
    for i = 1, #fields do changed.standing[fields[i]] = users[i] end
  end
  for p = 1, #numbers do changed.ranges[p] = {} end
  local stock, batch, newest = read_meta(K, lease, numbers)
  local made, applied, writes = {}, {}, 0
  for i = 1, #claims do
    local claim, body = claims[i], A[2 * i + 2]
    local kind, p = byte(body, 1, 2)
    local record = made[claim] or known[i]
    applied[i] = 0
    if kind == RESTOCK then
      applied[i] = restock(stock[p], changed.ranges[p], body)
    elseif record and stock[p] and byte(record, 1) % OWN_TICKET == FROM[kind]
      and sub(record, 19, 20) == sub(A[2], 2 * p - 1, 2 * p) and units_of(record) == sub(body, 3) then
      local was, place, count, units = sub(record, 33, 36), HELD, byte(record, 37), units_of(record)
      if kind ~= PIN then place, count, units = move(kind, stock[p], changed.ranges[p], record) end
      if kind ~= PIN or was ~= NO_BATCH then
        if was ~= NO_BATCH then changed.done[was] = (changed.done[was] or 0) + 1 end
        if place == GONE then leave(changed.standing, sub(record, 3, 20), claim, byte(record, 37)) end
        local own = byte(record, 1) >= OWN_TICKET
        local ticket = own and ticket_of(record, claim) or ''
        record = char(place + (own and OWN_TICKET or 0)) .. sub(record, 2, 32) .. NO_BATCH .. char(count) .. units .. ticket
        made[claim], applied[i] = record, 1
      end
    end
    writes = writes + applied[i]
  end
  if writes > 0 then
    for claim, record in pairs(made) do
      changed.records[#changed.records + 1] = claim
      changed.records[#changed.records + 1] = record
    end
    write_settled(K, numbers, stock, batch, newest, changed)
    lease.writes = lease.writes + 1
  end
  return {'OK', lease.writes, counts(stock, numbers), applied}
end

-- tz_touch: KEYS 1 to 6, ARGV[2] unused, then claims. {'OK', number of claims that count as made now}.
local function touch(K, A)
  local lease = lease_of(K, A)
  if not lease then return fenced(K) end
  local _, batch, newest = read_meta(K, lease, {})
  local at = math.max(math.floor(micros() / 1000), newest)
  local known = redis.call('HMGET', K[3], unpack(A, 3))
  local moved, records, done, seen = {}, {}, {}, {}
  for i = 3, #A do
    local claim, record = A[i], known[i - 2]
    local was = record and sub(record, 33, 36) or NO_BATCH
    if was ~= NO_BATCH and not seen[claim] then
      seen[claim], moved[#moved + 1] = true, claim
      done[was] = (done[was] or 0) + 1
      records[#records + 1] = claim
      records[#records + 1] = sub(record, 1, 32) .. pack('>I4', batch) .. sub(record, 37)
    end
  end
  if #moved > 0 then
    redis.call('HSET', K[3], unpack(records))
    add_batch(K, batch, at, moved)
    acknowledge(K, done)
    write_meta(K, {}, {}, batch + 1, at)
    lease.writes = lease.writes + 1
  end
  return {'OK', #moved}
end

