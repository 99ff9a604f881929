{{- define "fairway.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "fairway.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "fairway.labels" -}}
{{ include "fairway.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "fairway.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "fairway.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "fairway.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "fairway.environment" -}}
- {name: FAIRWAY_BROKERS, value: {{ .Values.brokers | quote }}}
- {name: FAIRWAY_APP_ID, value: {{ .Values.appId | quote }}}
- {name: FAIRWAY_DATABASE_URL_FILE, value: /etc/fairway/secrets/database-url}
{{- if .Values.topics }}
- {name: FAIRWAY_TOPICS_FILE, value: /etc/fairway/topics/topics.yaml}
{{- end }}
{{- range .Values.secrets }}
- {name: {{ .setting }}, value: {{ printf "/etc/fairway/secrets/%s" .setting | quote }}}
{{- end }}
{{- range $name, $value := .Values.settings }}
- {name: {{ $name }}, value: {{ if kindIs "string" $value }}{{ $value | quote }}{{ else }}{{ $value | toJson | quote }}{{ end }}}
{{- end }}
{{- end }}

{{- define "fairway.mounts" -}}
- {name: secrets, mountPath: /etc/fairway/secrets, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- if .Values.topics }}
- {name: topics, mountPath: /etc/fairway/topics, readOnly: true}
{{- end }}
{{- end }}

{{- define "fairway.volumes" -}}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      - secret: {name: {{ .Values.database.secret }}, items: [{key: {{ .Values.database.key | quote }}, path: database-url}]}
      {{- range .Values.secrets }}
      - secret: {name: {{ .name }}, items: [{key: {{ .key | quote }}, path: {{ .setting }}}]}
      {{- end }}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
{{- if .Values.topics }}
- name: topics
  configMap: {name: {{ include "fairway.name" . }}-topics}
{{- end }}
{{- end }}
