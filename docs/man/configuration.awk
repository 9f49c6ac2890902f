# From the reference page of the configuration (Markdown, written from the table of keys) to mdoc(7); text.awk goes before it.
function plain(line) {
    gsub(/\*\*/, "", line)
    while (match(line, /\[[^]]*\]\([^)]*\)/)) {
        link = substr(line, RSTART + 1, RLENGTH - 2); split(link, part, /\]\(/)
        line = substr(line, 1, RSTART - 1) part[1] " (" part[2] ")" substr(line, RSTART + RLENGTH)
    }
    gsub(/`/, "'", line)
    return text(line)
}
function close_list() { if (list) print ".El"; list = 0 }
function close_keys() { close_list(); if (keys) print ".El"; keys = 0 }
/^# / { next }
/^## / { close_keys(); print ".Ss " substr($0, 4); next }
/^### / {
    close_list()
    if (!keys) print ".Bl -tag -width Ds"
    keys = 1; blank = 0; first = 1
    gsub(/[#` ]/, ""); print ".It Sy " $0; next
}
/^$/ { blank = 1; next }
/^\* / {
    if (!list) print ".Bl -bullet -compact"
    list = 1; print ".It"; print plain(substr($0, 3)); blank = 0; next
}
/^  / && list { sub(/^ +/, ""); print plain($0); next }
{
    if (list) { close_list(); print ".Pp" } else if (blank && !first && NR > 3) print ".Pp"
    blank = first = 0; print plain($0)
}
END { close_keys() }
