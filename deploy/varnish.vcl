# Varnish 7.1 or later in front of tzero's gateways: reads are answered here, everything else passes through.
# Start it with:  varnishd -a :80 -f /etc/varnish/tzero.vcl -s malloc,256m
# What is cached, for how long and what a purge does: docs/cdn.md.
vcl 4.1;

import std;

backend origin {
  .host = "127.0.0.1";
  .port = "8080";
  .connect_timeout = 1s;
  .first_byte_timeout = 30s;
  # Two answers without success within 3 s: from then on readers get what is here, up to a minute old.
  .probe = { .url = "/healthz"; .interval = 1s; .timeout = 1s; .window = 3; .threshold = 2; .initial = 2; }
}

# Who may purge: the machine that runs the shop's hook.
acl purgers { "127.0.0.1"; "::1"; }

sub vcl_recv {
  if (req.method == "PURGE") {
    if (client.ip !~ purgers) { return (synth(403, "Forbidden")); }
    return (purge);
  }
  # Operators and machines reach gateways on a way of their own.
  if (req.url ~ "^/(admin|console|metrics|readyz|healthz)([/?]|$)") { return (synth(404, "Not Found")); }
  if (req.method == "GET" || req.method == "HEAD") {
    if (req.url ~ "^/v1/time(\?|$)") { return (synth(700, "OK")); }
    if (req.url ~ "^/(\?|$)" || req.url ~ "^/(s|assets|problems|v1/sales)/[^/?]+(\?|$)"
        || req.url ~ "^/(problems|openapi\.json)(\?|$)") {
      # The same for everybody: nothing of the reader's reaches the origin, and no query makes a second copy.
      set req.url = regsub(req.url, "\?.*$", "");
      unset req.http.Cookie;
      unset req.http.Authorization;
      # While the origin lives, nothing is given that is older than stale-while-revalidate allows.
      if (std.healthy(req.backend_hint)) { set req.grace = 5s; }
      return (hash);
    }
    # Streams of statuses are not buffered.
    if (req.url ~ "/events(\?|$)") { return (pipe); }
  }
  return (pass);
}

# One copy an address, whatever the Host header says: a made-up one must not reach the origin.
sub vcl_hash {
  hash_data(req.url);
  return (lookup);
}

sub vcl_pipe {
  set bereq.http.Connection = "close";
}

sub vcl_backend_response {
  if (beresp.status >= 500 && bereq.is_bgfetch) { return (abandon); }
  # Kept for stale-if-error=60 and the time that the probe takes; lifetimes are the origin's own.
  if (beresp.status == 200 && beresp.ttl > 0s) { set beresp.grace = 65s; }
}

# A client is told when to come back, in the form of every other error.
sub vcl_backend_error {
  set beresp.status = 503;
  set beresp.http.Content-Type = "application/problem+json";
  set beresp.http.Cache-Control = "no-store";
  set beresp.http.Access-Control-Allow-Origin = "*";
  set beresp.http.Access-Control-Expose-Headers = "Retry-After";
  set beresp.http.Retry-After = "2";
  set bereq.http.X-Instance = "/";
  if (bereq.url ~ "^[A-Za-z0-9/_.~:%@-]+(\?|$)") { set bereq.http.X-Instance = regsub(bereq.url, "\?.*$", ""); }
  set beresp.body = """{"type":"/problems/unavailable","title":"Unavailable","status":503,"detail":"the shop cannot be reached at this moment; try again in 2 seconds","code":"unavailable","instance":""" + {"""} + bereq.http.X-Instance + {"""} + "}";
  return (deliver);
}

sub vcl_synth {
  set resp.http.Cache-Control = "no-store";
  set resp.http.Access-Control-Allow-Origin = "*";
  if (resp.status == 700) {
    # The edge's clock, RFC 3339 with milliseconds. Both parts come from one rounded number, so that they agree.
    set resp.status = 200;
    set req.http.X-Real = std.time2real(now, 0.0);
    set req.http.X-Time = "" + std.real2time(std.real(req.http.X-Real, 0.0), now);
    set req.http.X-Time = regsub(req.http.X-Time, "^..., (\d\d) (...) (\d{4}) (\d\d:\d\d:\d\d) GMT$", "\3-\2-\1T\4");
    if (req.http.X-Time ~ "-Jan-") { set req.http.X-Time = regsub(req.http.X-Time, "Jan", "01"); }
    elseif (req.http.X-Time ~ "-Feb-") { set req.http.X-Time = regsub(req.http.X-Time, "Feb", "02"); }
    elseif (req.http.X-Time ~ "-Mar-") { set req.http.X-Time = regsub(req.http.X-Time, "Mar", "03"); }
    elseif (req.http.X-Time ~ "-Apr-") { set req.http.X-Time = regsub(req.http.X-Time, "Apr", "04"); }
    elseif (req.http.X-Time ~ "-May-") { set req.http.X-Time = regsub(req.http.X-Time, "May", "05"); }
    elseif (req.http.X-Time ~ "-Jun-") { set req.http.X-Time = regsub(req.http.X-Time, "Jun", "06"); }
    elseif (req.http.X-Time ~ "-Jul-") { set req.http.X-Time = regsub(req.http.X-Time, "Jul", "07"); }
    elseif (req.http.X-Time ~ "-Aug-") { set req.http.X-Time = regsub(req.http.X-Time, "Aug", "08"); }
    elseif (req.http.X-Time ~ "-Sep-") { set req.http.X-Time = regsub(req.http.X-Time, "Sep", "09"); }
    elseif (req.http.X-Time ~ "-Oct-") { set req.http.X-Time = regsub(req.http.X-Time, "Oct", "10"); }
    elseif (req.http.X-Time ~ "-Nov-") { set req.http.X-Time = regsub(req.http.X-Time, "Nov", "11"); }
    elseif (req.http.X-Time ~ "-Dec-") { set req.http.X-Time = regsub(req.http.X-Time, "Dec", "12"); }
    set resp.http.Content-Type = "application/json";
    set req.http.X-Time = req.http.X-Time + regsub(req.http.X-Real, "^[^.]*(\.\d{3}).*$", "\1") + "Z";
    set resp.body = """{"server_time":""" + {"""} + req.http.X-Time + {"""} + "}";
    return (deliver);
  }
  if (resp.status == 200) { return (deliver); }
  set resp.http.Content-Type = "application/problem+json";
  if (resp.status == 404) {
    set resp.body = """{"type":"/problems/not-found","title":"Not found","status":404,"detail":"there is nothing at this address","code":"not-found","instance":"/"}""";
  } else {
    set resp.body = """{"type":"about:blank","title":"Not for everybody","status":403,"detail":"only this machine purges"}""";
  }
  return (deliver);
}

sub vcl_deliver {
  unset resp.http.Via;
  unset resp.http.X-Varnish;
}
