-- Closing a shard, loading it anew, opening it.

-- tz_close: KEYS 1. {'OK'}.
local function close(K)
  leases[K[1]] = nil
  return {'OK'}
end

-- tz_begin: KEYS 1 and 2. Removes every namespace that there was; their keys are named here, with the same hash tag.
-- {'OK', nonce}; fenced where a lease is of this epoch or a later one.
local function begin(K, A)
  local lease = leases[K[1]]
  if lease and lease.run == this_run() and tonumber(lease.epoch) >= tonumber(A[1]) then return fenced(K) end
  leases[K[1]], loads[K[1]] = nil, nil
  local namespaces = redis.call('HGETALL', K[1])
  for at = 1, #namespaces, 2 do
    local keys, prefix = {}, K[1] .. ':' .. namespaces[at] .. ':'
    for name in string.gmatch('mruqw', '.') do keys[#keys + 1] = prefix .. name end
    for p = 0, tonumber(namespaces[at + 1]) - 1 do keys[#keys + 1] = prefix .. 'f' .. p end
    for from = 1, #keys, CHUNK do redis.call('UNLINK', unpack(keys, from, math.min(from + CHUNK - 1, #keys))) end
  end
  redis.call('UNLINK', K[1], K[2])
  newest_nonce = math.max(micros(), newest_nonce + 1)
  local nonce = string.format('%.0f', newest_nonce)
  redis.call('HSET', K[1], A[1], 0)
  redis.call('HSET', K[2], 'n', nonce)
  loads[K[1]] = {epoch = A[1], nonce = nonce, run = this_run(), chunks = 0, parts = 0, stock = {}, numbers = {}}
  return {'OK', nonce}
end

local function load_of(K, A)
  local load = loads[K[1]]
  if not load or load.epoch ~= A[1] or load.nonce ~= A[2] or load.run ~= this_run() then return nil end
  if redis.call('HGET', K[2], 'n') ~= load.nonce then error('the namespace is not the one that was begun') end
  return load
end

local function load_records(K, load, claims, records)
  local values, fields, standing = {}, {}, {}
  for i, record in ipairs(records) do
    values[2 * i - 1], values[2 * i] = claims[i], record
    fields[i] = sub(record, 3, 20)
  end
  local users = redis.call('HMGET', K[4], unpack(fields))
  for i, record in ipairs(records) do
    local place, count = byte(record, 1) % OWN_TICKET, byte(record, 37)
    local stock = load.stock[unpack_from('>I2', record, 19) + 1]
    if place ~= GONE then
      local mine = standing[fields[i]] or users[i]
      local has = mine and unpack_from('>I4', mine) or 0
      standing[fields[i]] = pack('>I4', has + count) .. (mine and sub(mine, 5) or '') .. claims[i]
      if stock and place == HELD then stock.held = stock.held + count end
      if stock and place == SOLD then stock.sold = stock.sold + count end
    end
  end
  redis.call('HSET', K[3], unpack(values))
  values = {}
  for field, value in pairs(standing) do values[#values + 1] = field; values[#values + 1] = value end
  if #values > 0 then redis.call('HSET', K[4], unpack(values)) end
end

-- tz_load: KEYS 1 to 6 and the free lists that it fills, ARGV[2] nonce, [3] chunk, [4] part of it (both from 0), [5] '1' in the last
-- part. Then two arguments each: 'P' and stock (u32): the next product; 'F', place among the free lists from 1 and product (1 and 2
-- bytes), and ranges; claim and record. {'OK'}, also where it was taken before; fenced where the nonce is not the newest, or
-- something is missing before it.
local function load(K, A)
  local loading = load_of(K, A)
  if not loading then return fenced(K) end
  local chunk, part = tonumber(A[3]), tonumber(A[4])
  if chunk < loading.chunks or (chunk == loading.chunks and part < loading.parts) then return {'OK'} end
  if chunk > loading.chunks or part > loading.parts then return fenced(K) end
  local claims, records = {}, {}
  for at = 6, #A, 2 do
    local head, body = A[at], A[at + 1]
    if head == 'P' then
      loading.stock[#loading.stock + 1] = {total = unpack_from('>I4', body), free = 0, held = 0, sold = 0}
      loading.numbers[#loading.numbers + 1] = tostring(#loading.numbers)
      redis.call('HSET', K[1], A[1], #loading.numbers)
    elseif #head == 4 then
      local stock, ranges = loading.stock[unpack_from('>I2', head, 3) + 1], {}
      for from = 1, #body, 8 do
        local first, past = unpack_from('>I4I4', body, from)
        stock.free = stock.free + past - first
        ranges[#ranges + 1] = sub(body, from, from + 7)
      end
      in_chunks('RPUSH', K[6 + byte(head, 2)], ranges)
    else
      claims[#claims + 1], records[#records + 1] = head, body
    end
  end
  if #records > 0 then load_records(K, loading, claims, records) end
  loading.parts = part + 1
  if A[5] == '1' then loading.chunks, loading.parts = chunk + 1, 0 end
  return {'OK'}
end

-- tz_open: KEYS 1 and 2, ARGV[2] nonce, [3] number of chunks. {'OK'}, once a load; fenced where something is missing.
local function open(K, A)
  local loading = load_of(K, A)
  local complete = loading and loading.chunks == tonumber(A[3]) and loading.chunks > 0 and loading.parts == 0
  if not complete then return fenced(K) end
  write_meta(K, loading.stock, loading.numbers, 1, 0)
  leases[K[1]] = {epoch = A[1], nonce = loading.nonce, run = loading.run, numbers = loading.numbers, writes = 0}
  loads[K[1]] = nil
  return {'OK'}
end

