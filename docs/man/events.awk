# From the journal catalog to the mdoc(7) of its events; text.awk goes before it.
function close_example() { if (example) print ".Ed"; example = 0 }
/^# [a-z_]+$/ { close_example(); name = $2; next }
/^-- / { print ".It Sy " name " Pq MESSAGE_ID " $2; blank = 0; first = 1; next }
/^#|^Subject:|^Defined-By:|^Documentation:/ || !name { next }
/^$/ { blank = 1; next }
# A field that the journal puts in is told by its name.
{ gsub(/@/, "") }
/^    / {
    if (!example) print ".Bd -literal -offset indent"
    example = 1; blank = 0
    print text(substr($0, 5)); next
}
{
    was_example = example; close_example()
    if (was_example || blank && !first) print ".Pp"
    blank = first = 0
    print text($0)
}
END { close_example() }
