-- A number of a message, and where the next thing is; nothing if the message ends too early.
-- Lua's numbers are doubles: a negative one is summed up inverted, so that it stays exact.
local function varint(text, at)
  local number, inverse, unit = 0, 0, 1
  for place = at, at + 8 do
    local byte = string.byte(text, place)
    if not byte then return nil end
    local bits = byte % 128
    number = number + bits * unit
    if byte < 128 then return number, place + 1 end
    inverse = inverse + (127 - bits) * unit
    unit = unit * 128
  end
  return -1 - inverse, at + 10
end

-- Seconds and nanoseconds of a google.protobuf.Timestamp; what is none counts as the epoch.
local function moment(text)
  local seconds, nanos, at = 0, 0, 1
  while at <= #text do
    local tag = string.byte(text, at)
    local number, after = varint(text, at + 1)
    if not number then return 0, 0 end
    if tag == 8 then seconds = number elseif tag == 16 then nanos = number else return 0, 0 end
    at = after
  end
  return seconds, nanos
end

-- More values than this do not fit on Lua's stack at once. Even, so that pairs stay together.
local SPAN = 6000
