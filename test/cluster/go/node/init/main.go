// Command init is the first process of a node's namespaces. It starts what it is told on standard input, one JSON
// object a line, and says on standard output what has ended. When its input ends it ends too, and the kernel with it
// everything in the namespace: daemons, shims and containers, however they were left.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

type order struct {
	Start  *program `json:"start"`
	Signal *sending `json:"signal"`
}

type program struct {
	ID   string   `json:"id"`
	Argv []string `json:"argv"`
	Env  []string `json:"env"`
	Dir  string   `json:"dir"`
	Log  string   `json:"log"`
}

type sending struct {
	ID     string `json:"id"`
	Signal int    `json:"signal"`
}

type ending struct {
	ID   string `json:"id"`
	Code int    `json:"code"`
}

type house struct {
	lock sync.Mutex
	pids map[int]string
	out  *json.Encoder
}

func main() {
	h := &house{pids: map[int]string{}, out: json.NewEncoder(os.Stdout)}
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	go func() {
		for range children {
			h.reap()
		}
	}()
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		var given order
		if err := json.Unmarshal(lines.Bytes(), &given); err != nil {
			fmt.Fprintln(os.Stderr, err)
			continue
		}
		h.follow(given)
	}
}

func (h *house) follow(given order) {
	h.lock.Lock()
	defer h.lock.Unlock()
	if given.Start != nil {
		pid, err := start(given.Start)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			_ = h.out.Encode(ending{given.Start.ID, 127})
			return
		}
		h.pids[pid] = given.Start.ID
	}
	if given.Signal != nil {
		for pid, id := range h.pids {
			if id == given.Signal.ID {
				_ = syscall.Kill(pid, syscall.Signal(given.Signal.Signal))
			}
		}
	}
}

func start(p *program) (int, error) {
	log, err := os.OpenFile(p.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	// Nobody waits through os.Process: the reaping below takes every exit code.
	return syscall.ForkExec(p.Argv[0], p.Argv, &syscall.ProcAttr{
		Dir: p.Dir, Env: p.Env,
		Files: []uintptr{null.Fd(), log.Fd(), log.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
}

// reap takes every ended child, orphans of others included.
func (h *house) reap() {
	for {
		h.lock.Lock()
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if err == nil && pid > 0 {
			if id, ours := h.pids[pid]; ours {
				delete(h.pids, pid)
				_ = h.out.Encode(ending{id, exitCode(status)})
			}
		}
		h.lock.Unlock()
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
	}
}

func exitCode(status syscall.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}
