{{/* belvedere.toml of a room. Takes {root, room, rooms}. */}}
{{- define "belvedere.settings" -}}
{{- $root := .root -}}
{{- $room := .room -}}
{{- $table := deepCopy $room.settings -}}
{{- $proxies := concat (list "127.0.0.1" "::1") $root.Values.trustedProxies | uniq -}}
{{- $server := dict "host" $room.listen "port" $room.port "trusted_proxies" $proxies "client_address_header" $root.Values.clientAddressHeader -}}
{{- if $room.host -}}
{{-   $_ := set $server "names" (list $room.host) -}}
{{- end -}}
{{- if $room.path -}}
{{-   $_ := set $server "base_path" $room.path -}}
{{- end -}}
{{- $_ := set $table "server" (merge $server ($table.server | default dict)) -}}
{{- if ne $room.webrtc.mode "relay" -}}
{{-   $stage := dict "udp_ports" $room.webrtc.udpPorts "announced_addresses" $room.webrtc.announcedAddresses -}}
{{-   $_ := set $table "stage" (merge $stage ($table.stage | default dict)) -}}
{{- end -}}
{{- $_ := set $table "store" (dict "file" (ternary "belvedere.sqlite3" "" $room.store.enabled)) -}}
{{- if and (ne $root.Values.listRooms "none") (gt (len .rooms) 1) -}}
{{-   $listed := list -}}
{{-   range .rooms -}}
{{-     if and .host (or (eq $root.Values.listRooms "all") (eq .host $room.host)) -}}
{{-       $listed = append $listed (dict "name" (.title | default .name) "url" (printf "https://%s%s" .host .path)) -}}
{{-     end -}}
{{-   end -}}
{{-   $_ := set $table "rooms" $listed -}}
{{- end -}}
# Written by the chart {{ $root.Chart.Name }} from its values: change those.
{{ include "belvedere.toml" (dict "table" $table "path" "") | trim }}
{{ end }}

{{/*
A map as TOML: its keys, then its tables, sorted, so that the checksum changes only with the content. JSON's numbers,
texts, lists and booleans are TOML's as well, and unlike Helm's own toToml, toJson writes no integer as 8080.0.
A key whose value is null is left out, so that a room can take back what `room` says.
*/}}
{{- define "belvedere.toml" -}}
{{- $path := .path -}}
{{- $table := .table -}}
{{- range $key := keys $table | sortAlpha }}
{{- $value := index $table $key }}
{{- if not (or (kindIs "invalid" $value) (kindIs "map" $value) (include "belvedere.isTables" $value)) }}
{{ $key }} = {{ toJson $value }}
{{- end }}
{{- end }}
{{- range $key := keys $table | sortAlpha }}
{{- $value := index $table $key }}
{{- $name := ternary $key (printf "%s.%s" $path $key) (empty $path) }}
{{- if kindIs "map" $value }}

[{{ $name }}]
{{- include "belvedere.toml" (dict "table" $value "path" $name) }}
{{- else if include "belvedere.isTables" $value }}
{{- range $each := $value }}

[[{{ $name }}]]
{{- include "belvedere.toml" (dict "table" $each "path" $name) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "belvedere.isTables" -}}
{{- if and (kindIs "slice" .) . -}}
{{- if kindIs "map" (first .) -}}true{{- end -}}
{{- end -}}
{{- end }}
