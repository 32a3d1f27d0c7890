package deploy

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"time"
)

// object is the part of a manifest that is held to rules here.
type object struct {
	Kind     string
	Metadata struct{ Name string }
	Spec     struct {
		Replicas             *int
		PodManagementPolicy  string   `yaml:"podManagementPolicy"`
		UpdateStrategy       strategy `yaml:"updateStrategy"`
		Strategy             strategy
		VolumeClaimTemplates []struct {
			Metadata struct{ Name string }
			Spec     claim
		} `yaml:"volumeClaimTemplates"`
		Template struct{ Spec podSpec }
		claim    `yaml:",inline"`
	}
}

type strategy struct {
	Type          string
	RollingUpdate map[string]any `yaml:"rollingUpdate"`
}

type claim struct {
	AccessModes []string `yaml:"accessModes"`
}

type podSpec struct {
	Automount       *bool `yaml:"automountServiceAccountToken"`
	ServiceLinks    *bool `yaml:"enableServiceLinks"`
	Grace           int   `yaml:"terminationGracePeriodSeconds"`
	HostNetwork     bool  `yaml:"hostNetwork"`
	HostPID         bool  `yaml:"hostPID"`
	SecurityContext struct {
		RunAsNonRoot   bool                  `yaml:"runAsNonRoot"`
		RunAsUser      int                   `yaml:"runAsUser"`
		FSGroup        int                   `yaml:"fsGroup"`
		SeccompProfile struct{ Type string } `yaml:"seccompProfile"`
	} `yaml:"securityContext"`
	InitContainers []container `yaml:"initContainers"`
	Containers     []container
	Volumes        []struct {
		Name  string
		Claim *struct {
			Name string `yaml:"claimName"`
		} `yaml:"persistentVolumeClaim"`
		EmptyDir any `yaml:"emptyDir"`
	}
}

type container struct {
	Name, Image     string
	RestartPolicy   string `yaml:"restartPolicy"`
	Args            []string
	Env             []envVar
	Ports           []port
	StartupProbe    probe `yaml:"startupProbe"`
	ReadinessProbe  probe `yaml:"readinessProbe"`
	LivenessProbe   probe `yaml:"livenessProbe"`
	Resources       struct{ Requests, Limits map[string]string }
	SecurityContext struct {
		AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
		ReadOnly                 bool  `yaml:"readOnlyRootFilesystem"`
		Privileged               bool
		Capabilities             struct{ Add, Drop []string }
	} `yaml:"securityContext"`
	VolumeMounts []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
	} `yaml:"volumeMounts"`
}

type port struct {
	Name          string
	ContainerPort int `yaml:"containerPort"`
}

type envVar struct {
	Name, Value string
	ValueFrom   struct {
		Secret *struct{ Name, Key string } `yaml:"secretKeyRef"`
	} `yaml:"valueFrom"`
}

type probe struct {
	HTTP struct{ Path, Port string } `yaml:"httpGet"`
}

func (c container) env(name string) (envVar, bool) {
	i := slices.IndexFunc(c.Env, func(e envVar) bool { return e.Name == name })
	if i < 0 {
		return envVar{}, false
	}
	return c.Env[i], true
}

// isGateway tells the gateway's container from an application's beside it.
func (c container) isGateway() bool {
	_, ok := c.env("GATEWAY_STORE")
	return ok || strings.Contains(c.Image, "v3gate")
}

// wrongWithManifest says how a manifest could lose the store, run two gateways
// on one organization, or give more away than it must.
func wrongWithManifest(text string) (wrong []string) {
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	objects, err := documents[object](text)
	if err != nil {
		return []string{err.Error()}
	}
	if !strings.Contains(text, "EXACTLY ONE GATEWAY RUNS FOR A v5 ORGANIZATION") {
		bad("it does not say that exactly one gateway runs for an organization")
	}
	claims := map[string]claim{}
	for _, o := range objects {
		if o.Kind == "PersistentVolumeClaim" {
			claims[o.Metadata.Name] = o.Spec.claim
		}
	}
	gateways := 0
	for _, o := range objects {
		if o.Kind == "HorizontalPodAutoscaler" || o.Kind == "Secret" {
			bad("a %s has no place here", o.Kind)
		}
		pod := o.Spec.Template.Spec
		for _, c := range slices.Concat(pod.InitContainers, pod.Containers) {
			for _, w := range wrongWithContainer(c) {
				bad("%s: %s", c.Name, w)
			}
			if !c.isGateway() {
				continue
			}
			gateways++
			if o.Kind != "StatefulSet" {
				bad("a %s may run two pods at once; a StatefulSet does not", o.Kind)
			}
			for _, w := range wrongWithGateway(o, c, claims) {
				bad("%s: %s", c.Name, w)
			}
		}
		if len(pod.Containers) > 0 {
			for _, w := range wrongWithPod(pod) {
				bad("%s: %s", o.Metadata.Name, w)
			}
		}
	}
	if gateways != 1 {
		bad("%d gateways", gateways)
	}
	return wrong
}

// wrongWithGateway is about the store and about there being one gateway.
func wrongWithGateway(o object, c container, claims map[string]claim) (wrong []string) {
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if o.Spec.Replicas == nil || *o.Spec.Replicas != 1 {
		bad("replicas is not 1")
	}
	for _, s := range []strategy{o.Spec.UpdateStrategy, o.Spec.Strategy} {
		if len(s.RollingUpdate) > 0 {
			bad("rollingUpdate has options: %v", s.RollingUpdate)
		}
	}
	if o.Spec.PodManagementPolicy == "Parallel" {
		bad("pods start in parallel")
	}
	store, _ := c.env("GATEWAY_STORE")
	volume := ""
	for _, m := range c.VolumeMounts {
		if m.MountPath == path.Dir(store.Value) {
			volume = m.Name
		}
	}
	var kept *claim
	for _, t := range o.Spec.VolumeClaimTemplates {
		if t.Metadata.Name == volume {
			kept = &t.Spec
		}
	}
	for _, v := range o.Spec.Template.Spec.Volumes {
		if v.Name == volume && v.Claim != nil {
			if found, ok := claims[v.Claim.Name]; ok {
				kept = &found
			}
		}
	}
	if kept == nil {
		bad("the store %s is on no persistent volume", store.Value)
	} else if !slices.Equal(kept.AccessModes, []string{"ReadWriteOncePod"}) {
		bad("%v lets a second pod mount the store", kept.AccessModes)
	}
	for _, name := range []string{"GATEWAY_V3_KEY", "GATEWAY_V5_TOKEN"} {
		if e, _ := c.env(name); e.Value != "" || e.ValueFrom.Secret == nil {
			bad("%s does not come from a secret", name)
		}
	}
	port := slices.IndexFunc(c.Ports, func(p port) bool { return p.Name == "admin" })
	admin, _ := c.env("GATEWAY_ADMIN")
	if port < 0 || admin.Value != fmt.Sprintf("0.0.0.0:%d", c.Ports[port].ContainerPort) {
		bad("port admin is not where GATEWAY_ADMIN=%s listens", admin.Value)
	}
	for _, p := range []struct {
		probe
		want string
	}{{c.StartupProbe, "/readyz"}, {c.ReadinessProbe, "/readyz"}, {c.LivenessProbe, "/healthz"}} {
		if p.HTTP.Path != p.want || p.HTTP.Port != "admin" {
			bad("a probe asks %s at %s, want %s at admin", p.HTTP.Path, p.HTTP.Port, p.want)
		}
	}
	if !slices.Equal(c.Args, []string{"serve"}) {
		bad("args are %v", c.Args)
	}
	return wrong
}

func wrongWithContainer(c container) (wrong []string) {
	s := c.SecurityContext
	for text, is := range map[string]bool{
		"may escalate privileges":  s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.Privileged,
		"writes to its image":      !s.ReadOnly,
		"keeps capabilities":       !slices.Equal(s.Capabilities.Drop, []string{"ALL"}) || len(s.Capabilities.Add) > 0,
		"its image has no version": !strings.Contains(path.Base(c.Image), ":") || strings.HasSuffix(c.Image, ":latest"),
		"asks for no memory":       c.Resources.Requests["memory"] == "" || c.Resources.Limits["memory"] == "",
	} {
		if is {
			wrong = append(wrong, text)
		}
	}
	return wrong
}

func wrongWithPod(p podSpec) (wrong []string) {
	s := p.SecurityContext
	for text, is := range map[string]bool{
		"may run as root":                               !s.RunAsNonRoot || s.RunAsUser == 0,
		"cannot write to its volume":                    s.FSGroup == 0,
		"has no seccomp profile":                        s.SeccompProfile.Type != "RuntimeDefault",
		"carries a service account's token":             p.Automount == nil || *p.Automount,
		"service links may set GATEWAY_ variables":      p.ServiceLinks == nil || *p.ServiceLinks,
		"is in the host's namespaces":                   p.HostNetwork || p.HostPID,
		"is killed before the gateway's own grace ends": time.Duration(p.Grace)*time.Second < grace()+10*time.Second,
	} {
		if is {
			wrong = append(wrong, text)
		}
	}
	for _, v := range p.Volumes {
		if v.EmptyDir != nil {
			wrong = append(wrong, "volume "+v.Name+" is an emptyDir")
		}
	}
	return wrong
}

func TestManifests(t *testing.T) {
	for file, spoil := range map[string]map[string][2]string{
		"kubernetes/statefulset.yaml": {
			"a claim for all":     {"accessModes: [ReadWriteOncePod]", "accessModes: [ReadWriteMany]"},
			"the store elsewhere": {"mountPath: /data", "mountPath: /cache"},
			"a plain key":         {"- name: GATEWAY_V3_KEY\n              valueFrom: {secretKeyRef: {name: v3gate, key: v3-key}}", "- {name: GATEWAY_V3_KEY, value: aaaaaaaaaaaaaaaaaaaaaaaa}"},
			"parallel":            {"podManagementPolicy: OrderedReady", "podManagementPolicy: Parallel"},
		},
		"kubernetes/sidecar.yaml": {
			"emptyDir":        {"persistentVolumeClaim: {claimName: legacy-app-v3gate}", "emptyDir: {}"},
			"another claim":   {"claimName: legacy-app-v3gate", "claimName: nobody-made-it"},
			"a claim for all": {"accessModes: [ReadWriteOncePod]", "accessModes: [ReadWriteMany]"},
			"open to all":     {`value: "127.0.0.1:8080"`, `value: "0.0.0.0:8080"`},
			"no sidecar":      {"\n          restartPolicy: Always", "\n          restartPolicy: Never"},
		},
	} {
		good := read(t, file)
		for _, w := range append(wrongWithManifest(good), wrongWithSidecar(file, good)...) {
			t.Errorf("%s: %s", file, w)
		}
		for name, change := range map[string][2]string{
			"two replicas":      {"replicas: 1", "replicas: 2"},
			"no replicas":       {"replicas: 1", "minReadySeconds: 1"},
			"a Deployment":      {"kind: StatefulSet", "kind: Deployment"},
			"a rolling update":  {"type: RollingUpdate", "type: RollingUpdate\n    rollingUpdate: {maxUnavailable: 2}"},
			"no word of it":     {"EXACTLY ONE GATEWAY", "One gateway"},
			"root":              {"runAsNonRoot: true", "runAsNonRoot: false"},
			"no seccomp":        {"type: RuntimeDefault", "type: Unconfined"},
			"capabilities":      {"drop: [ALL]", "drop: [NET_RAW]"},
			"a writable image":  {"readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"},
			"escalation":        {"allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true"},
			"a short grace":     {"terminationGracePeriodSeconds: ", "terminationGracePeriodSeconds: 15 # "},
			"service links":     {"enableServiceLinks: false", "enableServiceLinks: true"},
			"latest":            {"v3gate:1.0.0", "v3gate:latest"},
			"no limit":          {"limits: {memory: 256Mi}", "limits: {}"},
			"a probe of v3":     {"httpGet: {path: /readyz, port: admin}", "httpGet: {path: /readyz, port: v3}"},
			"admin on loopback": {`value: "0.0.0.0:9090"`, `value: "127.0.0.1:9090"`},
			"a key twice":       {"replicas: 1", "replicas: 1\n  replicas: 1"},
			"no gateway":        {"name: GATEWAY_STORE, value: /data/store.db}\n", "name: OTHER, value: x}\n"},
		} {
			if _, ok := spoil[name]; !ok {
				spoil[name] = change
			}
		}
		for name, change := range spoil {
			spoiled := strings.Replace(good, change[0], change[1], 1)
			if spoiled == good || len(wrongWithManifest(spoiled))+len(wrongWithSidecar(file, spoiled)) == 0 {
				t.Errorf("%s, %s: nothing is said about it", file, name)
			}
		}
	}
}

// wrongWithSidecar is about who reaches the v3 endpoint beside an application.
func wrongWithSidecar(file, text string) (wrong []string) {
	if !strings.HasSuffix(file, "sidecar.yaml") {
		return nil
	}
	objects, err := documents[object](text)
	if err != nil {
		return []string{err.Error()}
	}
	for _, o := range objects {
		for _, c := range o.Spec.Template.Spec.InitContainers {
			if listen, _ := c.env("GATEWAY_LISTEN"); !strings.HasPrefix(listen.Value, "127.0.0.1:") {
				wrong = append(wrong, "the v3 endpoint is at "+listen.Value+", not on the loopback address")
			}
			if c.RestartPolicy != "Always" {
				wrong = append(wrong, "an init container that is no sidecar ends before the application starts")
			}
		}
	}
	return wrong
}

func TestNetworkPolicyAndServices(t *testing.T) {
	type rule struct {
		Ports []struct {
			Port     int
			Protocol string
		}
		From, To []map[string]any
	}
	type any struct {
		Kind string
		Spec struct {
			PolicyTypes     []string `yaml:"policyTypes"`
			Ingress, Egress []rule
			Ports           []struct {
				Port       int
				TargetPort string `yaml:"targetPort"`
			}
		}
	}
	all, err := documents[any](read(t, "kubernetes/statefulset.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	policies, ports := 0, map[string]int{}
	for _, o := range all {
		if o.Kind == "Service" {
			for _, p := range o.Spec.Ports {
				ports[p.TargetPort] = p.Port
			}
		}
		if o.Kind != "NetworkPolicy" {
			continue
		}
		policies++
		if !slices.Equal(o.Spec.PolicyTypes, []string{"Ingress", "Egress"}) {
			t.Errorf("policyTypes are %v", o.Spec.PolicyTypes)
		}
		for _, r := range slices.Concat(o.Spec.Ingress, o.Spec.Egress) {
			if len(r.Ports) == 0 || len(r.From)+len(r.To) == 0 {
				t.Errorf("%v is open to every port or every peer", r)
			}
		}
	}
	if policies != 1 || ports["v3"] != 8080 || ports["admin"] != 9090 {
		t.Errorf("%d policies, services %v", policies, ports)
	}
}
