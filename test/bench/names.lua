-- The calls of wrk: each connection's next call is for the next of the names.
local calls, at = {}, 0

function init(args)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "text/xml"
  wrk.headers["User-Agent"] = "Python-xmlrpc/3.11"
  wrk.headers["Accept-Encoding"] = "identity"
  local file = io.open(args[1], "rb")
  local call = file:read("*a")
  file:close()
  local count = tonumber(args[2])
  for i = 1, count do
    calls[i] = wrk.format(nil, nil, nil, (string.gsub(call, "bench%-00000", string.format("bench-%05d", i - 1))))
  end
end

function request()
  at = at % #calls + 1
  return calls[at]
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('\n{"calls":%d,"microseconds":%d,"p50":%d,"p99":%d,"most":%d,"errors":%d,"timeouts":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    e.connect + e.read + e.write + e.status, e.timeout))
end
