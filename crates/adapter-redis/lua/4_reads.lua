-- Looking at a shard.

-- tz_unpinned: KEYS 1 to 6, ARGV[2] instant (ms) before which they were made, ARGV[3] batch after which to go on (0 at first),
-- ARGV[4] number of claims that are enough. {'OK', batch to go on after or '', claim, record, ...}.
local function unpinned(K, A)
  local lease = lease_of(K, A)
  if not lease then return fenced(K) end
  read_meta(K, lease, {})
  local names = redis.call('ZRANGEBYSCORE', K[5], '(' .. A[3], '+inf', 'LIMIT', 0, 16)
  local found, last = {'OK', ''}, nil
  local rows = #names > 0 and redis.call('HMGET', K[6], unpack(names)) or {}
  for i, name in ipairs(names) do
    if unpack_from('>I8', rows[i]) >= tonumber(A[2]) then return found end
    local claims = {}
    for at = 9, #rows[i], 16 do claims[#claims + 1] = sub(rows[i], at, at + 15) end
    local records = redis.call('HMGET', K[3], unpack(claims))
    for c, claim in ipairs(claims) do
      if records[c] and sub(records[c], 33, 36) == name then
        found[#found + 1] = claim; found[#found + 1] = records[c]
      end
    end
    last = unpack_from('>I4', name)
    if #found - 2 >= 2 * tonumber(A[4]) then break end
  end
  found[2] = last and tostring(last) or ''
  return found
end

-- tz_view: KEYS 1 and 2. {'OK', writes, counters of every product}.
local function view(K, A)
  local lease = lease_of(K, A)
  if not lease then return fenced(K) end
  local stock = read_meta(K, lease, lease.numbers)
  return {'OK', lease.writes, counts(stock, lease.numbers)}
end

-- tz_units: KEYS 1 to 3 (4 to 6 unused) and the free lists of all products, ARGV[2] cursor ('0' at first), ARGV[3] records a page.
-- {'OK', writes, cursor ('0' at the end), counters, free ranges of each product (both at the first page only), then claim and
-- place (1 byte), product (2), units for each record that has units}. Pages belong together where `writes` is the same.
local function units(K, A)
  local lease = lease_of(K, A)
  if not lease then return fenced(K) end
  local rows, free = {}, {}
  if A[2] == '0' then
    rows = counts(read_meta(K, lease, lease.numbers), lease.numbers)
    for p = 1, #lease.numbers do free[p] = concat(redis.call('LRANGE', K[6 + p], 0, -1)) end
  end
  local page = redis.call('HSCAN', K[3], A[2], 'COUNT', A[3])
  local found = {'OK', lease.writes, page[1], rows, free}
  for at = 1, #page[2], 2 do
    local record = page[2][at + 1]
    local place = byte(record, 1) % OWN_TICKET
    if place ~= GONE then
      found[#found + 1] = page[2][at]
      found[#found + 1] = char(place) .. sub(record, 19, 20) .. units_of(record)
    end
  end
  return found
end

