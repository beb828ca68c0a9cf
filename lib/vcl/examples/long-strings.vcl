# Strings of all kinds: with quotes, line ends and braces in them, and backslashes that mean nothing.
vcl 4.1;

backend default none;

sub vcl_recv {
    set req.http.a = "\" + {"a "quoted" word"} + """three {"kinds"} in a row""";
    set req.http.b = "/* no comment */ # nor this // nor this";
    set req.http.c = {"C{ no C }C"} + "joined" + " by a plus";
    return (synth(200));
}

sub vcl_synth {
    set resp.body = {"<!DOCTYPE html>
<style>
  body { margin: 0 }
</style>
<p class="a">"} + resp.reason + """</p>
<script>const a = {"b": '"'};
</script>
""";
    set resp.http.Empty = "" + {""} + """""";
    return (deliver);
}
