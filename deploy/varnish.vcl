# Varnish 7.1 or later in front of tzero's gateways: reads are answered here, everything else passes through.
# Start it with:  varnishd -a http=:80 -a purge=127.0.0.1:8081 -f /etc/varnish/tzero.vcl -s malloc,256m \
#                   -p http_req_size=15k -p http_req_hdr_len=7k
# The last two keep a request's head below what a gateway takes (server.header_bytes, 16 KiB): a head that it refuses brings no copy,
# and everybody who waits for that copy waits for another.
# What is cached, for how long, what a purge does and how TLS is put in front: docs/cdn.md.
vcl 4.1;

import std;

backend origin {
  .host = "127.0.0.1";
  .port = "8080";
  .connect_timeout = 1s;
  .first_byte_timeout = 30s;
  # Two probes in turn without success: from then on readers get what is here, up to a minute old, and everything else is
  # answered 503. One with success ends that.
  .probe = { .url = "/healthz"; .interval = 500ms; .timeout = 1s; .window = 2; .threshold = 1; .initial = 1; }
}

# Who may purge, at the listener named "purge" (or the only one, where it has no name and this machine alone reaches it):
# behind a TLS terminator everybody may seem to come from this machine.
acl purgers { "127.0.0.1"; "::1"; }

sub vcl_recv {
  # The absolute form, of which Varnish takes off `http://` only, would hide from every rule here what it asks for.
  if (req.url !~ "^/") { return (synth(400, "Bad Request")); }
  # `#` ends an address at the gateway, and would end one here as something else.
  if (req.url !~ "^/[A-Za-z0-9/._~:@!$&'()*+,;=%-]*(\?|$)") { return (synth(404, "Not Found")); }
  if (req.method == "PURGE") {
    if (client.ip !~ purgers
        || !(local.socket == "purge" || (local.socket == "a0" && local.endpoint ~ "^127\.0\.0\.1:"))) {
      return (synth(403, "Forbidden"));
    }
    set req.url = regsub(req.url, "\?.*$", "");
    return (purge);
  }
  # Operators and machines reach gateways on a way of their own.
  if (req.url ~ "^/(admin|console|metrics|readyz|healthz)([/?]|$)") { return (synth(404, "Not Found")); }
  # The largest body that any address takes here is a webhook's, 64 KiB. A gateway refuses a larger one while it is still sent to
  # it, and its answer could be lost.
  if (req.http.Content-Length
      && (req.http.Content-Length !~ "^[0-9]{1,9}$" || std.integer(req.http.Content-Length, 0) > 65536)) {
    return (synth(413, "Content Too Large"));
  }
  if (req.restarts == 0) { unset req.http.X-Wants; }
  if (req.method == "GET" || req.method == "HEAD") {
    # No address that is kept needs a percent sign: each spelling would be a copy of its own.
    if (req.url ~ "^/(s|assets|problems|v1/sales)/[^/?]*%[^/?]*(\?|$)") { return (synth(404, "Not Found")); }
    if (req.url ~ "^/v1/time(\?|$)") { return (synth(700, "OK")); }
    if (req.url ~ "^/(\?|$)" || req.url ~ "^/(s|assets|problems|v1/sales)/[^/?]+(\?|$)"
        || req.url ~ "^/(problems|openapi\.json)(\?|$)") {
      # The same for everybody: no query makes a second copy, and nothing that a gateway looks at reaches the origin from the
      # reader. VCL cannot take off what it has no name for: that a gateway ignores, and it is bounded, by the start parameters
      # in bytes and here in lines.
      set req.url = regsub(req.url, "\?.*$", "");
      unset req.http.Accept;
      unset req.http.Accept-Language;
      unset req.http.Authorization;
      unset req.http.Challenge-Solution;
      unset req.http.Content-Type;
      unset req.http.Cookie;
      unset req.http.Forwarded;
      unset req.http.Host;
      unset req.http.Idempotency-Key;
      unset req.http.Last-Event-ID;
      unset req.http.Origin;
      unset req.http.Proxy-Authorization;
      unset req.http.Referer;
      unset req.http.User-Agent;
      unset req.http.Via;
      unset req.http.X-Forwarded-For;
      unset req.http.X-Forwarded-Host;
      unset req.http.X-Forwarded-Proto;
      # What is added from here on, by Varnish too, needs room: a reader whose lines leave none (http_max_hdr, 64) is refused now,
      # and not where others wait for what is fetched.
      set req.http.X-Room-1 = "1";
      set req.http.X-Room-2 = "2";
      set req.http.X-Room-3 = "3";
      set req.http.X-Room-4 = "4";
      set req.http.X-Room-5 = "5";
      set req.http.X-Room-6 = "6";
      set req.http.X-Room-7 = "7";
      set req.http.X-Room-8 = "8";
      if (!req.http.X-Room-8) { return (synth(400, "Bad Request")); }
      unset req.http.X-Room-1;
      unset req.http.X-Room-2;
      unset req.http.X-Room-3;
      unset req.http.X-Room-4;
      unset req.http.X-Room-5;
      unset req.http.X-Room-6;
      unset req.http.X-Room-7;
      unset req.http.X-Room-8;
      # Compressed with br, with gzip, and plain are three copies. What a client refuses (`br;q=0`) it does not take.
      if (req.restarts == 0) {
        set req.http.X-Wants = "plain";
        if (req.http.Accept-Encoding ~ "(?i)(^|[,\s])br\s*(?!\s*;\s*q\s*=\s*0(\.0*)?\s*(,|$))(;|,|$)") {
          set req.http.X-Wants = "br";
        } elseif (req.http.Accept-Encoding ~ "(?i)(^|[,\s])gzip\s*(?!\s*;\s*q\s*=\s*0(\.0*)?\s*(,|$))(;|,|$)") {
          set req.http.X-Wants = "gzip";
        }
      }
      # While the origin lives, nothing is given that is older than stale-while-revalidate allows. Where it has just failed
      # this reader, or is away, what is here is good for a minute.
      if (req.restarts == 0 && std.healthy(req.backend_hint)) { set req.grace = 5s; } else { set req.grace = 65s; }
      return (hash);
    }
    # Streams of statuses are not buffered.
    if (req.url ~ "^/v1/orders/[^?]+/events(\?|$)") { return (pipe); }
  }
  return (pass);
}

# One copy an address and encoding, whatever the Host header says: the origin is told its own.
sub vcl_hash {
  hash_data(req.url);
  return (lookup);
}

sub vcl_miss {
  # Nothing is here that may be given, also not for a minute.
  if (req.restarts > 0) { return (synth(503, "Service Unavailable")); }
  # Whoever waited for an answer that did not come need not wait for another.
  if (!std.healthy(req.backend_hint)) { return (restart); }
}

sub vcl_pipe {
  set bereq.http.Connection = "close";
}

sub vcl_backend_fetch {
  if (bereq.http.X-Wants) {
    # A gateway has such an answer in its memory: one that takes longer hangs.
    set bereq.first_byte_timeout = 2s;
    set bereq.between_bytes_timeout = 2s;
    if (bereq.http.X-Wants == "plain") { unset bereq.http.Accept-Encoding; }
    else { set bereq.http.Accept-Encoding = bereq.http.X-Wants; }
  }
}

sub vcl_backend_response {
  if (!bereq.http.X-Wants) { return (deliver); }
  # A copy is there, or nothing may be given: what went wrong is not put in its place.
  if (beresp.status >= 500) { return (abandon); }
  if (beresp.status != 200 && beresp.status != 404) {
    if (bereq.is_bgfetch) { return (abandon); }
    set beresp.ttl = 0s;
    set beresp.uncacheable = true;
    return (deliver);
  }
  # Varnish does not look at Accept-Encoding when it compares copies.
  if (beresp.http.Vary ~ "(?i)accept-encoding") { set beresp.http.Vary = "X-Wants"; }
  if (beresp.status == 404) {
    # A wrong link that many follow. Clients are told not to keep it.
    set beresp.ttl = 1s;
    set beresp.grace = 0s;
    set beresp.keep = 0s;
    return (deliver);
  }
  # Kept for stale-if-error=60 and the time that the probe takes; lifetimes are the origin's own.
  if (beresp.status == 200 && beresp.ttl > 0s) { set beresp.grace = 65s; }
}

sub vcl_backend_error {
  return (abandon);
}

sub vcl_synth {
  # The origin failed: once more, for what is here.
  if (resp.status == 503 && req.http.X-Wants && req.restarts == 0) { return (restart); }
  unset resp.http.X-Varnish;
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
  # Varnish's own errors, in the form of every other error.
  set req.http.X-Instance = "/";
  if (req.url ~ "^/[A-Za-z0-9/_.:~@-]*(\?|$)") { set req.http.X-Instance = regsub(req.url, "\?.*$", ""); }
  if (resp.status == 404 && req.url ~ "^/v1/sales/") {
    set req.http.X-Problem = {""type":"/problems/unknown-sale","title":"There is no such sale","status":404,"detail":"no sale has this sale_id","code":"unknown-sale""};
  } elseif (resp.status == 404) {
    set req.http.X-Problem = {""type":"/problems/not-found","title":"There is nothing here","status":404,"detail":"there is nothing at this address","code":"not-found""};
  } elseif (resp.status >= 500) {
    # A client is told when to come back.
    set resp.status = 503;
    set resp.http.Access-Control-Expose-Headers = "Retry-After";
    set resp.http.Retry-After = "2";
    set req.http.X-Problem = {""type":"/problems/unavailable","title":"Something we need is away","status":503,"detail":"the shop cannot be reached at this moment; try again in 2 seconds","code":"unavailable""};
  } elseif (resp.status == 413) {
    set req.http.X-Problem = {""type":"/problems/body-too-large","title":"The request's body is too large","status":413,"detail":"the body may have at most 65536 bytes","code":"body-too-large""};
  } elseif (resp.status == 403) {
    set req.http.X-Problem = {""type":"about:blank","title":"Not for everybody","status":403,"detail":"copies are purged from this machine, at the listener named purge","code":"forbidden""};
  } else {
    set resp.status = 400;
    set req.http.X-Problem = {""type":"/problems/invalid-request","title":"The request is not valid","status":400,"detail":"the request cannot be understood","code":"invalid-request""};
  }
  set resp.http.Content-Type = "application/problem+json";
  set resp.body = "{" + req.http.X-Problem + {","instance":""} + req.http.X-Instance + {"""} + "}";
  return (deliver);
}

sub vcl_deliver {
  unset resp.http.Via;
  unset resp.http.X-Varnish;
  if (resp.http.Vary ~ "X-Wants") { set resp.http.Vary = "Accept-Encoding"; }
}
