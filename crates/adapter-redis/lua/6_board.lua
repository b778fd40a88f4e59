-- The status board; the names of the functions.
--
-- Each document ends with a *mark* of the process that wrote it, 8 bytes that live in its memory and nowhere else. A promoted
-- replica may lack the last writes and cannot know which: all that it did not write itself is doubted, as after a restart.

local mark

-- tz_show: KEYS 1 a board. Two arguments a document: ticket; version (u32) and the rest. A higher version stays. {'OK'}.
local function show(K, A)
  if not mark then
    local now = redis.call('TIME')
    mark = pack('>I4I4', tonumber(now[1]), tonumber(now[2]))
  end
  local tickets, newest, values = {}, {}, {}
  for at = 1, #A, 2 do tickets[#tickets + 1] = A[at] end
  local shown = redis.call('HMGET', K[1], unpack(tickets))
  for i, ticket in ipairs(tickets) do
    local before = newest[ticket] or shown[i]
    if not before or unpack_from('>I4', before) <= unpack_from('>I4', A[2 * i]) then newest[ticket] = A[2 * i] .. mark end
  end
  for ticket, document in pairs(newest) do values[#values + 1] = ticket; values[#values + 1] = document end
  if #values > 0 then redis.call('HSET', K[1], unpack(values)) end
  return {'OK'}
end

-- tz_look: KEYS 1 a board, ARGV 1 a ticket. {'OK'} where nothing is shown, else {'OK', document, 1 if it is doubted}.
local function look(K, A)
  local shown = redis.call('HGET', K[1], A[1])
  if not shown then return {'OK'} end
  return {'OK', sub(shown, 1, -9), sub(shown, -8) == mark and 0 or 1}
end

local function register(name, body, ...)
  redis.register_function{function_name = name, callback = guard(body), flags = {...}}
end
register('tz_hold', hold)
register('tz_touch', touch)
register('tz_load', load)
register('tz_open', open)
register('tz_show', show)
-- What gives memory back, or must not wait for it.
register('tz_settle', settle, 'allow-oom')
register('tz_begin', begin, 'allow-oom')
register('tz_close', close, 'allow-oom')
register('tz_look', look, 'no-writes')
register('tz_view', view, 'no-writes')
register('tz_units', units, 'no-writes')
register('tz_unpinned', unpinned, 'no-writes')
-- tz_version: no KEYS. The version, and whether leases name their run.
local function version() return this_run() and VERSION .. ' naming runs' or VERSION end
redis.register_function{function_name = 'tz_version', callback = version, flags = {'no-writes'}}
