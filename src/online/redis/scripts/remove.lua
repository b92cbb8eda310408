-- Removes the values of the keys that have some, and answers how many keys those were. ARGV: `all`, or
-- `before` for those whose stored time is before the next argument; that time; the fields, that of the
-- time first.
local all = ARGV[1] == 'all'
local limit_seconds, limit_nanos = moment(ARGV[2])
local call = redis.call
local last, removed = #ARGV, 0
for index = 1, #KEYS do
  local key = KEYS[index]
  local stored = call('HGET', key, ARGV[3])
  if stored then
    local seconds, nanos = moment(stored)
    if all or seconds < limit_seconds or (seconds == limit_seconds and nanos < limit_nanos) then
      for first = 3, last, SPAN do
        call('HDEL', key, unpack(ARGV, first, math.min(first + SPAN - 1, last)))
      end
      removed = removed + 1
    end
  end
end
return removed
