# What both pages share: a line as mdoc(7) takes it, each sentence on a line of its own.
function text(line) {
    gsub(/\\/, "\\e", line)
    while (match(line, /[.] [A-Z'`*]/)) line = substr(line, 1, RSTART) "\n" substr(line, RSTART + 2)
    gsub(/\n'/, "\n\\\\\\&'", line)
    if (line ~ /^[.']/) line = "\\&" line
    return line
}
