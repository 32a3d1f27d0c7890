# The manifests in the API's own types, strictly, in a Go module that is made here and thrown away.
decoder() {
  mkdir -p "$work/manifests" && cp deploy/test/testdata/manifests.go "$work/manifests/main.go" && cd "$work/manifests" &&
    go mod init manifests && go mod edit -require=k8s.io/api@v0.37.2 -require=k8s.io/apimachinery@v0.37.2 -require=sigs.k8s.io/yaml@v1.6.0 &&
    GOFLAGS=-mod=mod go build -o "$work/decode" .
}
check "a decoder of the Kubernetes API builds" eval "(decoder)"
for f in deploy/kubernetes/statefulset.yaml deploy/kubernetes/sidecar.yaml; do
  check "$f decodes strictly" "$work/decode" "$f"
done
slip() {
  sed 's/readOnlyRootFilesystem/readonlyRootFileSystem/' deploy/kubernetes/sidecar.yaml > "$work/slip.yaml"
  ! "$work/decode" "$work/slip.yaml"
}
check "a misspelt field would be seen" slip
