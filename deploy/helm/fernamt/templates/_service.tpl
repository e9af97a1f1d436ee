{{- /* What each service needs beside the others: its settings, and its files at /etc/fernamt. */ -}}

{{- define "fernamt.settings" -}}
{{- $values := .root.Values -}}
- {name: FERNAMT_HEALTH_HOST, value: 0.0.0.0}
- {name: FERNAMT_HEALTH_PORT, value: "8480"}
- {name: FERNAMT_LOG_LEVEL, value: {{ $values.logLevel }}}
- {name: FERNAMT_LEASE_MS, value: {{ $values.leaseMs | quote }}}
- {name: FERNAMT_NATS_URL, value: {{ $values.nats.url | quote }}}
- {name: FERNAMT_NATS_NKEY_FILE, value: /etc/fernamt/identity.nk}
- {name: FERNAMT_NATS_INBOX, value: _INBOX.{{ .service }}}
{{- if $values.nats.ca.secret }}
- {name: FERNAMT_NATS_CA_FILE, value: /etc/fernamt/nats-ca}
{{- end }}
{{- if eq .service "auditor" }}
{{ include "fernamt.store" (dict "root" .root "key" $values.database.auditor) }}
{{- else if not (has .service (list "console" "auth")) }}
{{ include "fernamt.store" (dict "root" .root "key" $values.database.services) }}
{{- end }}
{{- if and (eq .service "archivist") $values.sealKey.secret }}
- {name: FERNAMT_SEAL_KEY_FILE, value: /etc/fernamt/seal-key}
{{- end }}
{{- if eq .service "notifier" }}
- {name: FERNAMT_WEBHOOKS_PRIVATE, value: {{ $values.webhooks.private }}}
{{- if $values.mail.secret }}
- name: FERNAMT_SMTP_URL
  valueFrom: {secretKeyRef: {name: {{ $values.mail.secret }}, key: {{ $values.mail.key }}}}
- {name: FERNAMT_MAIL_FROM, value: {{ required "mail.from: who sends the mails" $values.mail.from | quote }}}
{{- end }}
{{- end }}
{{- if eq .service "auth" }}
- {name: FERNAMT_AUTH_ISSUER_FILE, value: /etc/fernamt/issuer.nk}
- {name: FERNAMT_AUTH_KEYS, value: {{ $values.sessionKeys.url | default "/etc/fernamt/session-keys" | quote }}}
- {name: FERNAMT_AUTH_REVOKED, value: {{ $values.sessionKeys.revoked | quote }}}
{{- end }}
{{- if eq .service "console" }}
- {name: FERNAMT_CONSOLE_HOST, value: 0.0.0.0}
- {name: FERNAMT_CONSOLE_PORT, value: "8470"}
- {name: FERNAMT_CONSOLE_HOSTS, value: {{ $values.console.ingress.host | quote }}}
- {name: FERNAMT_CONSOLE_WORKSPACES, value: {{ join "," $values.console.workspaces | quote }}}
- name: FERNAMT_CONSOLE_TOKEN
  valueFrom: {secretKeyRef: {name: {{ $values.console.token.secret }}, key: {{ $values.console.token.key }}}}
{{- end }}
{{- with (index $values.services .service).env }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "fernamt.files" -}}
{{- $values := .root.Values -}}
{{ include "fernamt.file" (dict "secret" $values.nats.keys "key" (printf "%s.nk" .service) "path" "identity.nk") }}
{{- if $values.nats.ca.secret }}
{{ include "fernamt.file" (dict "secret" $values.nats.ca.secret "key" $values.nats.ca.key "path" "nats-ca") }}
{{- end }}
{{- if and $values.database.ca.secret (not (has .service (list "console" "auth"))) }}
{{ include "fernamt.file" (dict "secret" $values.database.ca.secret "key" $values.database.ca.key "path" "database-ca") }}
{{- end }}
{{- if and (eq .service "archivist") $values.sealKey.secret }}
{{ include "fernamt.file" (dict "secret" $values.sealKey.secret "key" $values.sealKey.key "path" "seal-key") }}
{{- end }}
{{- if eq .service "auth" }}
{{ include "fernamt.file" (dict "secret" $values.nats.keys "key" "issuer.nk" "path" "issuer.nk") }}
{{- if not $values.sessionKeys.url }}
{{ include "fernamt.file" (dict "secret" $values.sessionKeys.secret "key" $values.sessionKeys.key "path" "session-keys") }}
{{- end }}
{{- end }}
{{- end }}
