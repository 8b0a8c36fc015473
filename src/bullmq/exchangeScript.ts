/**
 * An exchange of a `LeaseStore`, as a script of Redis: atomic, and by the clock of Redis.
 *
 * A hash holds all limits of a budget, so that Redis loses all of them or none: a field for each limit, and two that say
 * which run of Redis wrote them, and when its members have had the time to report again.
 *
 * KEYS: the hash. ARGV: the name of the limit, and the report as JSON. Returns the answer as JSON.
 */
export const EXCHANGE = `
local key, field, report = KEYS[1], 'limit:' .. ARGV[1], cjson.decode(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- What Redis knew before it was started may be old, or lost.
local info = redis.pcall('INFO', 'server')
local run = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or ''
if redis.call('HGET', key, 'run') ~= run then
  redis.call('HSET', key, 'run', run, 'settled', now + report.lease)
end

local text = redis.call('HGET', key, field)
local state = text and cjson.decode(text) or { at = now, settled = 0, members = {} }
local members = state.members

local function wants(member)
  return member.wanted.requests > 0 or member.wanted.concurrent > 0
end

local silent = false
for name, member in pairs(members) do
  silent = silent or (name ~= report.member and wants(member) and now > state.at + report.lease)
end
if silent then state.settled = now + report.lease end

for name, member in pairs(members) do
  if silent and wants(member) then member.keptUntil = math.max(member.keptUntil, state.settled) end
  member.keptUntil = math.min(member.keptUntil, now + report.keep + report.lease)
  if member.keptUntil < now then members[name] = nil end
end

-- The clock may have been set back.
local soon = now + report.lease
if tonumber(redis.call('HGET', key, 'settled')) > soon then redis.call('HSET', key, 'settled', soon) end
state.settled = math.min(state.settled, soon)
local settled = math.max(state.settled, tonumber(redis.call('HGET', key, 'settled')))

local limit, granted = {}, {}
for _, bound in ipairs({ 'requests', 'concurrent' }) do
  local held = 0
  limit[bound] = report.limit[bound]
  for name, member in pairs(members) do
    if name ~= report.member then
      held = held + member.held[bound]
      limit[bound] = math.max(limit[bound], member.limit[bound])
    end
  end
  granted[bound] = math.max(0, math.min(report.target[bound], limit[bound] - held))
  if now < settled then granted[bound] = report.held[bound] end
end

local own = members[report.member]
if not own or own.turn < report.turn then
  own = {
    turn = report.turn,
    held = {
      requests = math.max(report.held.requests, granted.requests),
      concurrent = math.max(report.held.concurrent, granted.concurrent),
    },
    wanted = report.wanted,
    limit = report.limit,
    keptUntil = now + report.keep,
  }
  local holds = own.held.requests > 0 or own.held.concurrent > 0
  members[report.member] = (holds or wants(own)) and own or nil
end

state.at = now
if next(members) then
  redis.call('HSET', key, field, cjson.encode(state))
else
  redis.call('HDEL', key, field)
end
-- Thirty days.
redis.call('PEXPIRE', key, 2592000000)

local answer = { granted = granted, limit = limit, wanted = {}, now = now }
for name, member in pairs(members) do answer.wanted[name] = member.wanted end
return cjson.encode(answer)
`;
