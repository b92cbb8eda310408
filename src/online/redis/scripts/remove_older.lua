-- Removes the values of the keys whose stored time is before another one, and answers how many those
-- were. ARGV: that time, the fields, that of the time first.
local limit_seconds, limit_nanos = moment(ARGV[1])
local call = redis.call
local last, removed = #ARGV, 0
for index = 1, #KEYS do
  local key = KEYS[index]
  local stored = call('HGET', key, ARGV[2])
  if stored then
    local seconds, nanos = moment(stored)
    if seconds < limit_seconds or (seconds == limit_seconds and nanos < limit_nanos) then
      for first = 2, last, SPAN do
        call('HDEL', key, unpack(ARGV, first, math.min(first + SPAN - 1, last)))
      end
      removed = removed + 1
    end
  end
end
return removed
