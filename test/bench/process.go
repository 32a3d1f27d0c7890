package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server that this program has started.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

// start starts a program in dir; what it says goes to a log file there.
func start(dir, log string, environment []string, program string, args ...string) (*process, error) {
	out, err := os.Create(filepath.Join(dir, log))
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	cmd.Env = append(os.Environ(), environment...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, ended: make(chan struct{})}
	go func() { cmd.Wait(); close(p.ended) }()
	return p, nil
}

// stop ends it, in the end by force.
func (p *process) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(10 * time.Second):
		p.cmd.Process.Kill()
		<-p.ended
	}
}

// pids are the process and its children, for nginx has workers.
func (p *process) pids() []int {
	parent := strconv.Itoa(p.cmd.Process.Pid)
	all := []int{p.cmd.Process.Pid}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		if fields, err := statFields(path); err == nil && fields[1] == parent {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			all = append(all, pid)
		}
	}
	return all
}

// statFields are the fields of a /proc/PID/stat behind the program's name, which
// may hold anything: state, parent and so on.
func statFields(path string) ([]string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	if len(fields) < 22 {
		return nil, fmt.Errorf("read %s: %d fields", path, len(fields))
	}
	return fields, nil
}

// ticks is what a second has in /proc/PID/stat on Linux (USER_HZ).
const ticks = 100

// usage is what the processes have used until now: seconds of user and system
// time, and MiB of resident memory.
func usage(pids []int) (cpu, rss float64, err error) {
	for _, pid := range pids {
		fields, err := statFields(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0, 0, errors.Join(errors.New("a server has died"), err)
		}
		number := func(i int) float64 { n, _ := strconv.ParseFloat(fields[i], 64); return n }
		cpu += (number(11) + number(12)) / ticks
		rss += number(21) * float64(os.Getpagesize()) / (1 << 20)
	}
	return cpu, rss, nil
}
