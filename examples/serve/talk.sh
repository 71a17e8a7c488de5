#!/usr/bin/env bash
# Answers the questions of an agent: `archer serve --model DIR`, then `bash talk.sh`.
#
# Each line of the input is a reply to what the agent said last; the input's end ends the game. curl and sed
# alone; where there is jq, `jq -r .text` and `jq -n --arg reply "$reply" '{$reply}'` are better.
set -euo pipefail
server=${1:-http://127.0.0.1:8080}

# ask METHOD PATH [BODY]: what the server answers; its own sentence where it refuses.
ask() {
    curl --silent --show-error --fail-with-body --request "$1" "$server$2" ${3:+--json "$3"} || {
        echo >&2
        exit 1
    }
}

# A number or a text of an answer, by its name.
number() { { cat && echo; } | sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"; }
text() { { cat && echo; } | sed -n "s/^[^}]*\"$1\":\"\(\([^\"\\\\]\|\\\\.\)*\)\".*/\1/p" | sed 's/\\\(.\)/\1/g'; }

# A line as a text of JSON.
quoted() { printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g; s/\t/ /g')"; }

game=/games/$(ask POST /games '{"opening": "Questions:"}' | number id)
ask POST "$game/say" '{}' | text text
while IFS= read -r reply; do
    ask POST "$game/hear" "{\"reply\": $(quoted "$reply")}" >/dev/null
    ask POST "$game/say" '{}' | text text
done
echo "$(ask DELETE "$game" | number turns) replies"
