-- Asks for random bundles; arguments: a file of lines "suffix etag", and "known" to send the ETag.
local names, tags, known = {}, {}, false

function init(args)
  for line in io.lines(args[1]) do
    local name, tag = line:match("^(%S+) (%S+)$")
    names[#names + 1], tags[#tags + 1] = name, tag
  end
  known = args[2] == "known"
  math.randomseed(tonumber(args[3]) or 1)
end

function request()
  local n = math.random(#names)
  local headers = known and { ["If-None-Match"] = '"' .. tags[n] .. '"' } or {}
  return wrk.format("GET", "/pith/" .. names[n] .. "/bundle.json", headers)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "errors": %d, "status_errors": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.timeout, errors.status))
end
