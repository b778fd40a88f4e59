#!lua name=tzero
-- The inventory and the status board on Redis (7.0 or later). Every answer is the one that the domain's shard gives.
--
-- Permission to hand out units is a *lease* in this process's memory, never in the data: a restarted server, a promoted
-- replica and a reloaded library have none, and everything is refused until the shard was loaded anew and opened.
-- An error that nobody expects takes the lease away: Redis keeps what was written before it, and only a rebuild mends that.
--
-- KEYS of every function but tz_version, tz_show and tz_look share one hash tag; their order is always this (a function
-- needs those that it names, and the ones before):
--   1 root    hash: epoch -> number of products, for every namespace that may exist. Its name is the lease's.
--   2 meta    hash: 'n' -> nonce of the load, 'w' -> next batch (u32) and newest instant (u64),
--             product number (decimal) -> stock, free, held, sold (u32 each)
--   3 records hash: claim -> record (below)
--   4 users   hash: user and product (18 bytes) -> units (u32), live claims (16 bytes each), oldest first
--   5 index   zset: batch (u32) by its number: batches with a claim that the ledger has not acknowledged
--   6 batches hash: batch -> instant (u64, ms), claims; 'l' and batch -> how many of them are unacknowledged
--   7... free lists: ranges of units (first, one after the last: u32 each), in the order in which they are given
-- Numbers are big-endian. A record: place and 4 where it has a ticket of its own (1 byte), quantity (1), user (16),
-- product (2), epoch (4), instant in ms (8), batch or 0 once acknowledged (4), number of units (1), units (4 each),
-- ticket (16, where it has one), and until it is acknowledged the buyer's sealed identifier.
--
-- ARGV[1] is always the epoch (decimal). Answers: {'OK', ...}, or {'FENCED', epoch of the lease or ''}: nothing happened.

local VERSION = '2'
local HELD, SOLD, GONE, OWN_TICKET = 0, 1, 2, 4
local FIND, WEIGH = 1, 3
local NO_BATCH = '\0\0\0\0'
local CHUNK = 1000 -- arguments a call, where their number has no small bound of its own

-- Memory ends with its process, so a lease needs no name of it. Where the trial at the start finds that a server keeps a
-- library's memory longer, the library is loaded with `true` here: then a lease is good in the run that gave it, and no other.
local NAMES_ITS_RUN = false

local leases, loads, newest_nonce = {}, {}, 0

local byte, char, sub, concat, pack, unpack_from

-- These are not there yet while the library is being loaded.
local function begin_to_run()
  byte, char, sub, concat = string.byte, string.char, string.sub, table.concat
  pack, unpack_from = struct.pack, struct.unpack
end

-- Whatever goes wrong inside fences the shard.
local function guard(body)
  return function(K, A)
    if not byte then begin_to_run() end
    local fine, answer = pcall(body, K, A)
    if fine then return answer end
    leases[K[1]], loads[K[1]] = nil, nil
    return redis.error_reply('SELFFENCE ' .. tostring(type(answer) == 'table' and answer.err or answer))
  end
end

-- This run of the server, where leases have to name it.
local function this_run()
  if not NAMES_ITS_RUN then return nil end
  return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or error('the server does not say which run it is')
end

local function fenced(K)
  local lease = leases[K[1]]
  return {'FENCED', lease and lease.epoch or ''}
end

local function lease_of(K, A)
  local lease = leases[K[1]]
  if lease and lease.run ~= this_run() then leases[K[1]], lease = nil, nil end
  return lease and lease.epoch == A[1] and lease or nil
end

local function micros()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local function in_chunks(command, key, values)
  for from = 1, #values, CHUNK do
    redis.call(command, key, unpack(values, from, math.min(from + CHUNK - 1, #values)))
  end
end

-- Meta: the products at `numbers` by their place, next batch, newest instant. Another namespace than the lease's is an error.
local function read_meta(K, lease, numbers)
  local row = redis.call('HMGET', K[2], 'n', 'w', unpack(numbers))
  if row[1] ~= lease.nonce then error('the namespace is not the one that was opened') end
  local batch, at = unpack_from('>I4I8', row[2])
  local stock = {}
  for p = 1, #numbers do
    if row[p + 2] then
      local total, free, held, sold = unpack_from('>I4I4I4I4', row[p + 2])
      stock[p] = {total = total, free = free, held = held, sold = sold}
    end
  end
  return stock, batch, at
end

local function packed(stock) return pack('>I4I4I4I4', stock.total, stock.free, stock.held, stock.sold) end

-- The product numbers in ARGV[2] (u16 each), in the order of the free lists in KEYS.
local function named(A)
  local numbers = {}
  for at = 1, #A[2], 2 do numbers[#numbers + 1] = tostring((unpack_from('>I2', A[2], at))) end
  return numbers
end

local function counts(stock, numbers)
  local rows = {}
  for p = 1, #numbers do rows[p] = stock[p] and packed(stock[p]) or '' end
  return rows
end

local function write_meta(K, stock, numbers, batch, at)
  local values = {'w', pack('>I4I8', batch, at)}
  for p = 1, #numbers do
    if stock[p] then values[#values + 1] = numbers[p]; values[#values + 1] = packed(stock[p]) end
  end
  redis.call('HSET', K[2], unpack(values))
end

-- One index entry for all `claims` of one instant; never back in time: the order is that of the numbers.
local function add_batch(K, batch, at, claims)
  if batch >= 4294967295 then error('batch numbers are used up') end
  local name = pack('>I4', batch)
  redis.call('ZADD', K[5], batch, name)
  redis.call('HSET', K[6], name, pack('>I8', at) .. concat(claims), 'l' .. name, #claims)
end

local function acknowledge(K, done)
  local names, fields = {}, {}
  for name in pairs(done) do names[#names + 1] = name; fields[#fields + 1] = 'l' .. name end
  if #names == 0 then return end
  local left = redis.call('HMGET', K[6], unpack(fields))
  local keep, gone, drop = {}, {}, {}
  for at, name in ipairs(names) do
    local rest = tonumber(left[at]) - done[name]
    if rest > 0 then
      keep[#keep + 1] = fields[at]; keep[#keep + 1] = rest
    else
      gone[#gone + 1] = name; drop[#drop + 1] = name; drop[#drop + 1] = fields[at]
    end
  end
  if #keep > 0 then redis.call('HSET', K[6], unpack(keep)) end
  if #gone > 0 then redis.call('ZREM', K[5], unpack(gone)); redis.call('HDEL', K[6], unpack(drop)) end
end

local function units_of(record) return sub(record, 38, 37 + 4 * byte(record, 37)) end
local function grant_of(record) return sub(record, 21, 32) .. units_of(record) end
local function ticket_of(record, claim)
  if byte(record, 1) < OWN_TICKET then return claim end
  local at = 38 + 4 * byte(record, 37)
  return sub(record, at, at + 15)
end

