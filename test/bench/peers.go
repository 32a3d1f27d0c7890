package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// peer is a server under load, as a process of its own.
type peer struct {
	name    string
	address string
	process *process
	// own tells that it makes the answer of each name itself; the others only
	// pass on what the upstream says.
	own   bool
	admin string // the gateway's metrics
}

// scene is the upstream with all that stand in front of it.
type scene struct {
	options  options
	dir      string
	upstream *peer
	peers    []*peer
	skipped  []string
}

// the peers in the order in which they are shown. All ratios are to the first.
var peerNames = []string{"reverseproxy", "gateway", "nginx", "shim", "direct"}

func (s *scene) start() error {
	var err error
	if s.upstream, err = s.own("upstream"); err != nil {
		return err
	}
	for _, name := range peerNames {
		if name != peerNames[0] && !s.options.wants(name) {
			continue
		}
		var p *peer
		var why string
		switch name {
		case "gateway":
			p, err = s.gateway()
		case "nginx":
			p, why, err = s.nginx()
		case "direct":
			p = &peer{name: name, address: s.upstream.address, process: s.upstream.process}
		default:
			p, err = s.own(name)
		}
		if err != nil {
			return fmt.Errorf("start %s: %w", name, err)
		}
		if p == nil {
			s.skipped = append(s.skipped, name+": "+why)
			continue
		}
		s.peers = append(s.peers, p)
	}
	return nil
}

func (s *scene) stop() {
	for _, p := range s.peers {
		if p.name != "direct" {
			p.process.stop()
		}
	}
	if s.upstream != nil {
		s.upstream.process.stop()
	}
}

// own starts one of this program's own servers.
func (s *scene) own(name string) (*peer, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := []string{"-serve", name, "-names", strconv.Itoa(s.options.names), "-delay", s.options.delay.String(),
		"-chunked=" + strconv.FormatBool(s.options.chunked)}
	if s.upstream != nil {
		args = append(args, "-upstream", "http://"+s.upstream.address)
	}
	return s.launch(&peer{name: name, own: name == "shim"}, nil, program, func(listen string) []string {
		return append(args, "-listen", listen)
	})
}

// gateway starts the gateway as an operator would, with its store and journal,
// metrics, and the access log in a file, but without the limits that protect v5
// and the tenants from each other: they are far below what is measured.
func (s *scene) gateway() (*peer, error) {
	admin, err := freeAddress()
	if err != nil {
		return nil, err
	}
	environment := append([]string{"GATEWAY_V3_KEY=" + v3Key, "GATEWAY_V5_TOKEN=" + v5Token}, s.options.environment...)
	return s.launch(&peer{name: "gateway", own: true, admin: admin}, environment, s.options.gateway, func(listen string) []string {
		return []string{"serve", "--listen", listen, "--admin", admin, "--store", filepath.Join(s.dir, "store.db"),
			"--v5-url", "http://" + s.upstream.address + "/v5", "--v5-rate", "0", "--v5-in-flight", "4096", "--tenant-rate", "0", "--tenant-in-flight", "0",
			"--max-in-flight", "2048", "--max-connections", "4096"}
	})
}

// nginx gives no peer, and why, where nginx is not installed.
func (s *scene) nginx() (p *peer, why string, err error) {
	program, err := exec.LookPath("nginx")
	if err != nil {
		if program, err = exec.LookPath("/usr/sbin/nginx"); err != nil {
			return nil, "not installed, and it could not be", nil
		}
	}
	config := filepath.Join(s.dir, "nginx.conf")
	p, err = s.launch(&peer{name: "nginx"}, nil, program, func(listen string) []string {
		if err := os.WriteFile(config, []byte(nginxConfig(listen, s.upstream.address)), 0o644); err != nil {
			panic(err)
		}
		return []string{"-p", s.dir + "/", "-c", config}
	})
	return p, "", err
}

// launch starts a peer's process on a free port and waits until it listens.
func (s *scene) launch(p *peer, environment []string, program string, args func(listen string) []string) (*peer, error) {
	var err error
	if p.address, err = freeAddress(); err != nil {
		return nil, err
	}
	if p.process, err = start(s.dir, p.name+".log", environment, program, args(p.address)...); err != nil {
		return nil, err
	}
	for range 100 {
		if c, err := net.Dial("tcp", p.address); err == nil {
			return p, c.Close()
		}
		select {
		case <-p.process.ended:
			said, _ := os.ReadFile(filepath.Join(s.dir, p.name+".log"))
			return nil, fmt.Errorf("it ended at once:\n%s", said)
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil, errors.New("it does not listen")
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// verify asks each peer before it is measured. A peer that makes the answers
// itself is asked for every name, in order: that also gives the gateway's store
// the ids that are expected.
func (s *scene) verify() error {
	for _, p := range s.peers {
		names := 1
		if p.own {
			names = s.options.names
		}
		for i := range names {
			said, err := post(p.address, callOf(nameOf(i)))
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			if want := answerOf(i); !bytes.Equal(said, want) {
				return fmt.Errorf("%s answers %s with\n%s\nand not with\n%s", p.name, nameOf(i), said, want)
			}
		}
	}
	return nil
}

func post(address string, body []byte) ([]byte, error) {
	resp, err := http.Post("http://"+address+"/xmlrpc/", "text/xml", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

func get(url string) (string, error) {
	resp, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

// asked is how many requests the upstream has had.
func (s *scene) asked() (float64, error) {
	said, err := get("http://" + s.upstream.address + "/asked")
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(strings.TrimSpace(said), 64)
}

var callsTotal = regexp.MustCompile(`(?m)^gateway_calls_total\{.*outcome="(\w+)"\} (\S+)$`)

// faults is how many calls the gateway has answered with a fault, which HTTP
// does not show. It waits until all connections have ended, with what they asked.
func (p *peer) faults() (n float64, err error) {
	var said string
	for range 100 {
		if said, err = get("http://" + p.admin + "/metrics"); err != nil || strings.Contains(said, "\ngateway_connections 0\n") {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	for _, m := range callsTotal.FindAllStringSubmatch(said, -1) {
		if count, _ := strconv.ParseFloat(m[2], 64); m[1] != "ok" {
			n += count
		}
	}
	return n, err
}
