-- Removes the values of the keys that have some, and answers how many keys those were. ARGV: `all`,
-- `features` to let the stored time stay, or `before` for those whose stored time is before the next
-- argument; that time; the fields, that of the time first.
local before = ARGV[1] == 'before'
local from = ARGV[1] == 'features' and 4 or 3
local limit_seconds, limit_nanos = moment(ARGV[2])
local call = redis.call
local last, removed = #ARGV, 0
for index = 1, #KEYS do
  local key = KEYS[index]
  local stored = call('HGET', key, ARGV[3])
  if stored then
    local seconds, nanos = moment(stored)
    if not before or seconds < limit_seconds or (seconds == limit_seconds and nanos < limit_nanos) then
      local fields = 0
      for first = from, last, SPAN do
        fields = fields + call('HDEL', key, unpack(ARGV, first, math.min(first + SPAN - 1, last)))
      end
      if fields > 0 then removed = removed + 1 end
    end
  end
end
return removed
