-- Adds a job to its session's calls, and returns its number. A session that had no call left gets a turn.
local turns, calls, answers = unpack(KEYS)
local session, job = unpack(ARGV)
local call = redis.call('RPUSH', calls, job) - 1
if redis.call('LLEN', answers) == call then
  redis.call('XADD', turns, '*', 'session', session, 'call', call)
end
return call
