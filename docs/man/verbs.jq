# From what a program tells of itself (--experimental-dump-help) to the mdoc(7) of its verbs. The options that every one of
# the verbs $common has are told once, at the end.

# Each sentence begins a line, and no line begins with what roff(7) takes for a command.
def text:
    gsub("\\\\"; "\\e") | gsub("(?<end>[.:]) (?<next>['@A-Z-])"; "\(.end)\n\(.next)") | gsub("\n+"; "\n")
    | gsub("(?<start>^|\n)(?<dot>[.'])"; "\(.start)\\&\(.dot)");
def dashes: if .kind == "short" then "Fl \(.name)" else "Fl -\(.name)" end;
def value: if .kind == "flag" then "" else " Ar \(.valueName)" end;
def names: . as $argument | [.names[] | dashes] | join(" , ") | . + ($argument | value);
def described: [.abstract, .discussion | select(. != null and . != "") | text] | join("\n");
def item: if .kind == "positional" then ".It Ar \(.valueName)" else ".It \(names)" end, described;
def shown:
    .arguments // [] | map(select(.shouldDisplay and (.kind == "flag" and (.valueName == "help" or .valueName == "version") | not)))
    | sort_by(.kind != "positional");
def list($arguments):
    if $arguments == [] then empty else ".Bl -tag -width Ds", ($arguments[] | item), ".El" end;
def brief:
    (if .isRepeating then " ..." else "" end) as $more
    | if .kind == "positional" then (if .isOptional then "Op Ar \(.valueName)\($more)" else "Ar \(.valueName)\($more)" end)
      elif .isOptional then empty else "\(.preferredName | dashes)\(value)" end;

[.command.subcommands[] | select(.shouldDisplay and .commandName != "help")] as $verbs
| ([$verbs[] | select(.commandName as $name | $common | index($name)) | shown] | .[0]
    | map(select(.kind != "positional"))) as $first
| ($first | map(select(. as $option
    | all($verbs[] | select(.commandName as $name | $common | index($name));
          any(shown[]; .preferredName == $option.preferredName))))) as $everywhere
| ($verbs[]
    | ".Ss \(.commandName)",
      ".Nm Cm \(.commandName)",
      (shown[] | brief | "." + .),
      (if any(shown[]; .isOptional and .kind != "positional") then ".Op Ar options" else empty end),
      ".Pp",
      described,
      list(shown | map(select(.preferredName as $name | $name == null or all($everywhere[]; .preferredName != $name))))),
  ".Sh OPTIONS",
  "Most verbs take these:",
  list($everywhere)
