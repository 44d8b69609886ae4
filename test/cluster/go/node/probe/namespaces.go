package main

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// A Pod's UID in the name of its control group; the systemd driver writes underscores.
var podInGroup = regexp.MustCompile(`pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12})`)

// findNamespaces opens the network namespace of any process of each source; a source without one is left out.
func findNamespaces[T any](sources map[string]T) map[string]*os.File {
	found := map[string]*os.File{}
	open := func(source, process string) {
		if file, err := os.Open(filepath.Join(process, "ns/net")); err == nil {
			found[source] = file
		}
	}
	for source := range sources {
		if pid, direct := strings.CutPrefix(source, "pid:"); direct {
			open(source, "/proc/"+pid)
		}
	}
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, process := range processes {
		groups, err := os.ReadFile(filepath.Join(process, "cgroup"))
		if err != nil {
			continue
		}
		match := podInGroup.FindSubmatch(groups)
		if match == nil {
			continue
		}
		uid := strings.ReplaceAll(string(match[1]), "_", "-")
		_, wanted := sources[uid]
		if _, have := found[uid]; wanted && !have && !startingUp(process) {
			open(uid, process)
		}
	}
	return found
}

// startingUp tells the runtime's own process, which is in the Pod's group before it is in the Pod's network.
func startingUp(process string) bool {
	name, err := os.ReadFile(filepath.Join(process, "comm"))
	return err != nil || strings.HasPrefix(string(name), "runc")
}

// enter runs work on a thread inside the namespace; the thread ends with it. Sockets made there stay there.
func enter(namespace *os.File, work func()) {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET)
		if err == nil {
			work()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		panic(err)
	}
}
