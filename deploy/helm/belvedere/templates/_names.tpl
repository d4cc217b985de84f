{{/* Names, labels and images. */}}

{{- define "belvedere.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{- define "belvedere.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "belvedere.name" . -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "belvedere.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "belvedere.fullname" .) "default" .Values.serviceAccount.create) -}}
{{- end }}

{{/* What belongs to one part of a release. Takes {root, component, room}; room may be left out. */}}
{{- define "belvedere.selectorLabels" -}}
app.kubernetes.io/name: {{ include "belvedere.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- with .room }}
belvedere/room: {{ .name | quote }}
{{- end }}
{{- end }}

{{/* The labels of pods: without versions, so that another chart that changes nothing else ends no visit. */}}
{{- define "belvedere.podLabels" -}}
{{ include "belvedere.selectorLabels" . }}
app.kubernetes.io/part-of: belvedere
{{- end }}

{{- define "belvedere.labels" -}}
{{ include "belvedere.podLabels" . }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Values.image.tag | default .root.Chart.AppVersion | trunc 63 | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* An image's reference. Takes {image, version}. */}}
{{- define "belvedere.image" -}}
{{- $tag := .image.tag | default .version -}}
{{- printf "%s:%s%s" .image.repository $tag (empty .image.digest | ternary "" (printf "@%s" .image.digest)) -}}
{{- end }}

{{/* The pods of a selector {namespace, podLabels}, as one peer of a NetworkPolicy. */}}
{{- define "belvedere.peer" -}}
namespaceSelector:
  matchLabels:
    kubernetes.io/metadata.name: {{ .namespace }}
podSelector:
  matchLabels:
    {{- toYaml .podLabels | nindent 4 }}
{{- end }}
