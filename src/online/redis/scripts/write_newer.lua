-- Replaces the values of the keys whose stored time is older, and answers how many those were.
-- ARGV: number of fields, seconds to live (0: for ever), `equal` if the same time gives way as well, the
-- fields, that of the time first; then for each key its values in the order of the fields.
local width, ttl, equal, stamp = tonumber(ARGV[1]), ARGV[2], ARGV[3] == 'equal', ARGV[4]
local call, unpack, arguments = redis.call, unpack, ARGV
local pairs_of_row, last = {}, 2 * width
for index = 1, width do pairs_of_row[2 * index - 1] = ARGV[3 + index] end
local at, written = 4 + width, 0
for index = 1, #KEYS do
  local key, new = KEYS[index], arguments[at]
  local old = call('HGET', key, stamp)
  local due = true
  -- As in Feast the epoch counts as nothing stored; its message is empty.
  if old and old ~= '' then
    due = equal
    if old ~= new then
      due = true
      local old_seconds, old_nanos = moment(old)
      if old_seconds ~= 0 or old_nanos ~= 0 then
        local seconds, nanos = moment(new)
        due = seconds > old_seconds or (seconds == old_seconds and (nanos > old_nanos or (equal and nanos == old_nanos)))
      end
    end
  end
  if due then
    local value = at
    for place = 2, last, 2 do
      pairs_of_row[place] = arguments[value]
      value = value + 1
    end
    if last <= SPAN then
      call('HSET', key, unpack(pairs_of_row, 1, last))
    else
      for first = 1, last, SPAN do
        call('HSET', key, unpack(pairs_of_row, first, math.min(first + SPAN - 1, last)))
      end
    end
    if ttl ~= '0' then call('EXPIRE', key, ttl) end
    written = written + 1
  end
  at = at + width
end
return written
