#!/bin/sh
# File a synthetic report to a NCMEC double with curl alone: the five calls that every client makes.
#
#   cybertip sandbox --port 8025 &
#   sh examples/file_with_curl.sh
#
# SANDBOX_URL, SANDBOX_USERNAME and SANDBOX_PASSWORD say where to and as whom. Everything in the report is made up.
set -eu

SANDBOX_URL=${SANDBOX_URL:-http://127.0.0.1:8025}
SANDBOX_USERNAME=${SANDBOX_USERNAME:-sandbox}
SANDBOX_PASSWORD=${SANDBOX_PASSWORD:-sandbox}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The credentials go by a file, for arguments can be read by every user of the machine.
(umask 077 && printf 'user = "%s:%s"\n' "$SANDBOX_USERNAME" "$SANDBOX_PASSWORD" >"$work/credentials")

# call PATH [CURL OPTION...]: make one call, print its reply, keep it in $reply, and stop unless the code is 0.
call() {
    path=$1
    shift
    reply=$(curl --silent --show-error --noproxy 127.0.0.1,localhost --config "$work/credentials" "$@" "$SANDBOX_URL/ispws$path")
    printf '%s\n%s\n\n' "$path" "$reply"
    if [ "$(value responseCode)" != 0 ]; then
        echo "$path was refused: do not go on" >&2
        exit 1
    fi
}

# value ELEMENT: print the text of the first such element of the last reply.
value() {
    printf '%s' "$reply" | sed -n "s:.*<$1>\([^<]*\)</$1>.*:\1:p" | head -n 1
}

call /status

cat >"$work/report.xml" <<'XML'
<?xml version="1.0" encoding="UTF-8"?>
<report>
    <incidentSummary>
        <incidentType>Online Enticement of Children for Sexual Acts</incidentType>
        <incidentDateTime>2025-01-31T13:00:00Z</incidentDateTime>
    </incidentSummary>
    <internetDetails>
        <webPageIncident>
            <url>https://www.example.com/profile/1</url>
        </webPageIncident>
    </internetDetails>
    <reporter>
        <reportingPerson>
            <firstName>Test</firstName>
            <lastName>Reporter</lastName>
            <email>safety@example.com</email>
        </reportingPerson>
    </reporter>
    <personOrUserReported>
        <espIdentifier>synthetic-user-1</espIdentifier>
        <ipCaptureEvent>
            <ipAddress>192.0.2.1</ipAddress>
            <eventName>Upload</eventName>
            <dateTime>2025-01-31T12:59:00Z</dateTime>
        </ipCaptureEvent>
    </personOrUserReported>
</report>
XML
call /submit --header 'Content-Type: text/xml; charset=utf-8' --data-binary "@$work/report.xml"
report=$(value reportId)

printf 'synthetic bytes, which depict nothing\n' >"$work/example.txt"
call /upload --form "id=$report" --form "file=@$work/example.txt;type=text/plain"
file=$(value fileId)

cat >"$work/details.xml" <<XML
<?xml version="1.0" encoding="UTF-8"?>
<fileDetails>
    <reportId>$report</reportId>
    <fileId>$file</fileId>
    <originalFileName>example.txt</originalFileName>
    <fileViewedByEsp>true</fileViewedByEsp>
</fileDetails>
XML
call /fileinfo --header 'Content-Type: text/xml; charset=utf-8' --data-binary "@$work/details.xml"

call /finish --data "id=$report"
echo "report $report is filed, with file $file"
