// Command manifests decodes Kubernetes manifests into the API's own types, strictly: a field that does not exist, is
// there twice or has another type is an error. kubernetes.sh builds it in a module of its own, so that the gateway's
// does not know of Kubernetes.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	split "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

func kind(name string) any {
	switch name {
	case "v1 ServiceAccount":
		return &core.ServiceAccount{}
	case "v1 Service":
		return &core.Service{}
	case "v1 PersistentVolumeClaim":
		return &core.PersistentVolumeClaim{}
	case "apps/v1 StatefulSet":
		return &apps.StatefulSet{}
	case "networking.k8s.io/v1 NetworkPolicy":
		return &networking.NetworkPolicy{}
	}
	return nil
}

func check(path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	docs := split.NewYAMLReader(bufio.NewReader(bytes.NewReader(raw)))
	for n := 1; ; n++ {
		doc, err := docs.Read()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var head struct{ APIVersion, Kind string }
		if err := yaml.Unmarshal(doc, &head); err != nil {
			return fmt.Errorf("%s, document %d: %w", path, n, err)
		}
		into := kind(head.APIVersion + " " + head.Kind)
		if into == nil {
			return fmt.Errorf("%s, document %d: %s %s is not known here", path, n, head.APIVersion, head.Kind)
		}
		raw, err := yaml.YAMLToJSONStrict(doc)
		if err != nil {
			return fmt.Errorf("%s, document %d: %w", path, n, err)
		}
		slips, err := json.UnmarshalStrict(raw, into)
		if err := errors.Join(append(slips, err)...); err != nil {
			return fmt.Errorf("%s, document %d: %w", path, n, err)
		}
		fmt.Printf("%s: %s %s\n", path, head.APIVersion, head.Kind)
	}
}

func main() {
	status := 0
	for _, path := range os.Args[1:] {
		if err := check(path); err != nil {
			fmt.Println(err)
			status = 1
		}
	}
	os.Exit(status)
}
