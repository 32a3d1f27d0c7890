package deploy

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

type service struct {
	Image string
	Build struct{ Context, Dockerfile string }

	Command     []string
	Environment map[string]string
	Ports       []string
	Volumes     []string
	Grace       string   `yaml:"stop_grace_period"`
	ReadOnly    bool     `yaml:"read_only"`
	CapDrop     []string `yaml:"cap_drop"`
	Privileged  bool
	Scale       int
	Deploy      map[string]any
	DependsOn   []string `yaml:"depends_on"`
}

func TestCompose(t *testing.T) {
	compose := document[struct {
		Services map[string]service
		Volumes  map[string]any
	}](t, "compose.yaml")
	for _, name := range []string{"sandbox", "gateway", "prometheus"} {
		s, ok := compose.Services[name]
		if !ok {
			t.Errorf("there is no %s", name)
			continue
		}
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || s.Privileged || s.Scale > 1 || s.Deploy != nil {
			t.Errorf("%s is not held down to one hardened container", name)
		}
		if strings.HasSuffix(s.Image, ":latest") || !strings.Contains(s.Image, ":") {
			t.Errorf("%s: image %s has no version", name, s.Image)
		}
		for _, p := range s.Ports {
			if !strings.HasPrefix(p, "127.0.0.1:") {
				t.Errorf("%s: port %s is open to the network", name, p)
			}
		}
		for _, d := range s.DependsOn {
			if _, ok := compose.Services[d]; !ok {
				t.Errorf("%s depends on %s", name, d)
			}
		}
		for _, v := range s.Volumes {
			from, _, _ := strings.Cut(v, ":")
			if strings.HasPrefix(from, ".") {
				if _, err := os.Stat(from); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			} else if _, ok := compose.Volumes[from]; !ok {
				t.Errorf("%s: volume %s is not declared", name, from)
			}
		}
		if s.Build.Dockerfile != "" {
			if _, err := os.Stat(filepath.Join(s.Build.Context, s.Build.Dockerfile)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	gw := compose.Services["gateway"]
	if stop, err := time.ParseDuration(gw.Grace); err != nil || stop < grace()+10*time.Second {
		t.Errorf("the gateway is killed after %s, its own grace is %s (%v)", gw.Grace, grace(), err)
	}
	if !slices.Contains(gw.Volumes, "store:"+filepath.Dir(gw.Environment["GATEWAY_STORE"])) {
		t.Errorf("the store %s is on none of %v", gw.Environment["GATEWAY_STORE"], gw.Volumes)
	}
	_, port, _ := strings.Cut(gw.Environment["GATEWAY_ADMIN"], ":")
	prometheus := document[struct {
		RuleFiles     []string `yaml:"rule_files"`
		ScrapeConfigs []struct {
			JobName       string                       `yaml:"job_name"`
			StaticConfigs []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}](t, "prometheus/prometheus.yml")
	if len(prometheus.ScrapeConfigs) != 1 || prometheus.ScrapeConfigs[0].JobName != "v3gate" ||
		!slices.Equal(prometheus.ScrapeConfigs[0].StaticConfigs[0].Targets, []string{"gateway:" + port}) {
		t.Errorf("Prometheus scrapes %+v, the gateway is at gateway:%s", prometheus.ScrapeConfigs, port)
	}
	for _, f := range prometheus.RuleFiles {
		mounted := slices.ContainsFunc(compose.Services["prometheus"].Volumes, func(v string) bool {
			return strings.HasPrefix(v, "./prometheus/"+f+":/etc/prometheus/"+f)
		})
		if !mounted {
			t.Errorf("rule file %s is not mounted", f)
		}
	}
}
