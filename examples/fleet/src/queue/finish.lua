-- Ends a turn: all of this happens, or, if the call has its answer already, nothing. The session's next call gets a turn.
local turns, calls, answers, saved = unpack(KEYS)
local group, turn, session, call, bytes, answer, news = unpack(ARGV)
call = tonumber(call)
if redis.call('LLEN', answers) ~= call then
  return 0
end
redis.call('SET', saved, bytes)
redis.call('RPUSH', answers, answer)
redis.call('XACK', turns, group, turn)
redis.call('XDEL', turns, turn)
if redis.call('LLEN', calls) > call + 1 then
  redis.call('XADD', turns, '*', 'session', session, 'call', call + 1)
end
redis.call('PUBLISH', news, session .. ' ' .. call)
return 1
