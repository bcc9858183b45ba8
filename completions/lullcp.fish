# SPDX-License-Identifier: MIT
# Completion of lullcp for fish. The options, and what is said of them, come from "lullcp --help";
# only what a value can be is known here.
function __lullcp_values --argument-names option
    switch $option
        case on-writers
            echo auto snapshot atomic fail trust
        case verify
            echo auto maps data
        case progress sparse
            echo auto always never
        case reflink
            echo always auto never
        case backup
            echo none off numbered t existing nil simple never
        case update
            echo all none none-fail older
        case preserve no-preserve
            echo mode ownership timestamps links xattr all
    end
end

for line in (command lullcp --help 2>/dev/null)
    # letters, name, value as written, what is said
    set -l m (string match -r '^  ((?:-\S, )*| +)--([a-z-]+)((?:\[?=[A-Z]*\]?)?)\s*(.*)$' -- $line)
    test (count $m) -eq 5; or continue
    set -l option $m[3]
    set -l args -c lullcp -l $option -d "$m[5]"
    for letter in (string match -ra -- '[a-zA-Z]' $m[2])
        set -a args -s $letter
    end
    set -l values (__lullcp_values $option | string split ' ')
    if test -n "$values"
        set -a args -f -a "$values"
        # one that may be left out follows after "="
        string match -q '[*' -- $m[4]; or set -a args -r
    else
        switch (string trim -c '[]=' -- "$m[4]")
            case FILE DIRECTORY
                set -a args -r -F
            case COMMAND
                set -a args -r -a '(__fish_complete_command)'
            case '?*'
                set -a args -x
        end
    end
    complete $args
end
functions -e __lullcp_values
