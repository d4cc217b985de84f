{{/*
The rooms, as JSON {"rooms": [...]}: each entry of `rooms` merged over `room`, with its `fullname`, `urlPath` (never
empty), `claim`, and `adapter`, the label that says whose radio it uses. Refuses what Kubernetes would accept and the
house could not live with.
*/}}
{{- define "belvedere.rooms" -}}
{{- $root := . -}}
{{- $rooms := list -}}
{{- range $own := .Values.rooms | default (list (dict)) -}}
{{-   $room := include "belvedere.merged" (dict "base" $root.Values.room "own" $own) | fromJson -}}
{{-   $fullname := include "belvedere.fullname" $root -}}
{{-   if $root.Values.rooms -}}
{{-     $fullname = printf "%s-%s" $fullname $room.name -}}
{{-   end -}}
{{-   $_ := set $room "fullname" $fullname -}}
{{-   $_ := set $room "urlPath" ($room.path | default "/") -}}
{{-   $_ := set $room "claim" ($room.store.existingClaim | default $fullname) -}}
{{-   $head := $room.settings.head | default dict -}}
{{-   $_ := set $room "adapter" ($head.adapter | default "any" | replace ":" "-" | lower) -}}
{{-   $rooms = append $rooms $room -}}
{{- end -}}
{{- range $rooms -}}
{{-   include "belvedere.checkRoom" (dict "root" $root "room" .) -}}
{{- end -}}
{{- include "belvedere.checkRoomsTogether" $rooms -}}
{{- if and (eq .Values.listRooms "all") (gt (len $rooms) 64) -}}
{{-   fail (printf "%d rooms are more than the 64 that a room may list: set listRooms to sameHost or none" (len $rooms)) -}}
{{- end -}}
{{- dict "rooms" $rooms | toJson -}}
{{- end }}

{{/*
{base} with what {own} has otherwise, as JSON. Tables are merged, but for one of another `kind`, whose keys are others;
all else replaces, also false, "" and null. Helm's mergeOverwrite would keep the keys of the other kind.
*/}}
{{- define "belvedere.merged" -}}
{{- $merged := deepCopy .base -}}
{{- range $key, $value := .own -}}
{{-   $old := get $merged $key -}}
{{-   if and (kindIs "map" $value) (kindIs "map" $old) (or (not (hasKey $value "kind")) (eq $value.kind ($old.kind | default ""))) -}}
{{-     $_ := set $merged $key (include "belvedere.merged" (dict "base" $old "own" $value) | fromJson) -}}
{{-   else -}}
{{-     $_ := set $merged $key $value -}}
{{-   end -}}
{{- end -}}
{{- toJson $merged -}}
{{- end }}

{{- define "belvedere.checkRoom" -}}
{{- $room := .room -}}
{{- $values := .root.Values -}}
{{- $who := printf "room %q" $room.name -}}
{{- if and (not $room.host) (or $values.ingress.enabled $values.cloudflared.enabled) -}}
{{-   fail (printf "%s has no host: give the name that browsers ask for, such as home.example.org, or set ingress.enabled and cloudflared.enabled to false" $who) -}}
{{- end -}}
{{- if and $room.devices.paths (not $room.devices.privileged) -}}
{{-   fail (printf "%s: the kernel opens devices.paths for privileged containers only: use devices.resources with a device plugin, or set devices.privileged to true" $who) -}}
{{- end -}}
{{- if and (ne $room.webrtc.mode "relay") (not $room.webrtc.udpPorts) -}}
{{-   fail (printf "%s: webrtc.mode %s needs webrtc.udpPorts, such as 50000-50015" $who $room.webrtc.mode) -}}
{{- end -}}
{{- if and (eq $room.webrtc.mode "relay") $room.webrtc.udpPorts -}}
{{-   fail (printf "%s: webrtc.udpPorts are ports of the node, which lead nowhere with webrtc.mode relay: choose hostPorts or hostNetwork" $who) -}}
{{- end -}}
{{- with $room.webrtc.udpPorts -}}
{{-   $first := splitList "-" . | first | int -}}
{{-   $last := splitList "-" . | last | int -}}
{{-   if or (lt $last $first) (gt $last 65535) (lt $first 1024) -}}
{{-     fail (printf "%s: webrtc.udpPorts %s are no range of ports from 1024 to 65535" $who .) -}}
{{-   end -}}
{{-   if gt (sub $last $first) 99 -}}
{{-     fail (printf "%s: webrtc.udpPorts %s are more than 100 ports; each viewer takes one" $who .) -}}
{{-   end -}}
{{- end -}}
{{- range $key := list "store" "rooms" -}}
{{-   if hasKey $room.settings $key -}}
{{-     fail (printf "%s: settings.%s is set by the chart: see store, rooms and listRooms" $who $key) -}}
{{-   end -}}
{{- end -}}
{{- $stage := $room.settings.stage | default dict -}}
{{- $server := $room.settings.server | default dict -}}
{{- range $key := list "host" "port" "names" "trusted_proxies" "client_address_header" "base_path" -}}
{{-   if hasKey $server $key -}}
{{-     fail (printf "%s: settings.server.%s is set by the chart: see listen, port, host, path, trustedProxies and clientAddressHeader" $who $key) -}}
{{-   end -}}
{{- end -}}
{{- range $key := list "udp_ports" "announced_addresses" -}}
{{-   if hasKey $stage $key -}}
{{-     fail (printf "%s: settings.stage.%s is set by the chart: see webrtc" $who $key) -}}
{{-   end -}}
{{- end -}}
{{- end }}

{{- define "belvedere.checkRoomsTogether" -}}
{{- $names := dict -}}
{{- $addresses := dict -}}
{{- $claims := dict -}}
{{- $nodePorts := dict -}}
{{- $units := dict -}}
{{- range . -}}
{{-   if hasKey $names .name -}}
{{-     fail (printf "two rooms are called %q: each needs a name of its own, by which its objects are called" .name) -}}
{{-   end -}}
{{-   $_ := set $names .name true -}}
{{-   if .host -}}
{{-     $address := printf "%s%s" (lower .host) .urlPath -}}
{{-     if hasKey $addresses $address -}}
{{-       fail (printf "rooms %q and %q have the same address %s: each needs a host or a path of its own" (get $addresses $address) .name $address) -}}
{{-     end -}}
{{-     $_ := set $addresses $address .name -}}
{{-   end -}}
{{-   if .store.enabled -}}
{{-     if hasKey $claims .claim -}}
{{-       fail (printf "rooms %q and %q share the claim %s: each needs a store of its own" (get $claims .claim) .name .claim) -}}
{{-     end -}}
{{-     $_ := set $claims .claim .name -}}
{{-   end -}}
{{-   if .bluetooth.enabled -}}
{{-     $room := . -}}
{{-     $head := .settings.head | default dict -}}
{{-     range $axis := list "pan" "tilt" -}}
{{-       $unit := get (get $head $axis | default dict) "address" | default "" | upper -}}
{{-       if and $unit (hasKey $units $unit) (ne (get $units $unit) $room.name) -}}
{{-         fail (printf "rooms %q and %q both drive the unit %s: whoever looks into one would turn the other's camera" (get $units $unit) $room.name $unit) -}}
{{-       end -}}
{{-       if $unit -}}
{{-         $_ := set $units $unit $room.name -}}
{{-       end -}}
{{-     end -}}
{{-   end -}}
{{-   if eq .webrtc.mode "hostNetwork" -}}
{{-     $port := printf "TCP port %v" (int .port) -}}
{{-     if hasKey $nodePorts $port -}}
{{-       fail (printf "rooms %q and %q both take %s of their node: give each a port of its own" (get $nodePorts $port) .name $port) -}}
{{-     end -}}
{{-     $_ := set $nodePorts $port .name -}}
{{-   end -}}
{{-   if .webrtc.udpPorts -}}
{{-     $room := . -}}
{{-     range $udp := untilStep (splitList "-" .webrtc.udpPorts | first | int) (splitList "-" .webrtc.udpPorts | last | int | add 1 | int) 1 -}}
{{-       $port := printf "UDP port %d" $udp -}}
{{-       if hasKey $nodePorts $port -}}
{{-         fail (printf "rooms %q and %q both take %s of their node: give each webrtc.udpPorts of its own" (get $nodePorts $port) $room.name $port) -}}
{{-       end -}}
{{-       $_ := set $nodePorts $port $room.name -}}
{{-     end -}}
{{-   end -}}
{{- end -}}
{{/* A path that lies below another room's would be answered by whichever a proxy prefers. */}}
{{- range $outer := . -}}
{{-   range $inner := $ -}}
{{-     if and $outer.host (eq (lower $outer.host) (lower $inner.host)) (ne $outer.name $inner.name) -}}
{{-       if hasPrefix (printf "%s/" (trimSuffix "/" $outer.urlPath)) $inner.urlPath -}}
{{-         fail (printf "the path %s of room %q lies below the path %s of room %q on %s" $inner.urlPath $inner.name $outer.urlPath $outer.name $outer.host) -}}
{{-       end -}}
{{-     end -}}
{{-   end -}}
{{- end -}}
{{- end }}
