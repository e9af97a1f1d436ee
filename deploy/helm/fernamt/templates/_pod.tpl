{{- /* What all pods have in common. */ -}}

{{- define "fernamt.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001   # reads the files of Secrets
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "fernamt.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "fernamt.placed" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{- /* The log's address out of the Secret: (dict "root" $ "key" KEY). */ -}}
{{- define "fernamt.store" -}}
- name: FERNAMT_STORE_URL
  valueFrom: {secretKeyRef: {name: {{ .root.Values.database.secret }}, key: {{ .key }}}}
{{- end }}

{{- /* One file of a Secret as a source of the volume at /etc/fernamt: (dict "secret" "key" "path"). */ -}}
{{- define "fernamt.file" -}}
- secret: {name: {{ .secret }}, items: [{key: {{ .key }}, path: {{ .path }}}]}
{{- end }}
