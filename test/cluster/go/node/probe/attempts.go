package main

import (
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// How often a UDP packet is sent again: one that is lost while an address is looked up must not read as dropped.
const resendEvery = 150 * time.Millisecond

type attempt struct {
	file   int
	packet bool
	result *string
	sent   time.Time
}

// begin makes a socket in the namespace of the calling thread and starts its connection.
func begin(wanted want, result *string) *attempt {
	*result = "dropped"
	address := &unix.SockaddrInet4{Port: wanted.Port}
	copy(address.Addr[:], net.ParseIP(wanted.To).To4())
	kind := unix.SOCK_STREAM
	if wanted.Proto == "udp" {
		kind = unix.SOCK_DGRAM
	}
	file, err := unix.Socket(unix.AF_INET, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		panic(err)
	}
	this := &attempt{file: file, packet: kind == unix.SOCK_DGRAM, result: result}
	if kind == unix.SOCK_STREAM {
		// Closed by a reset, a probe leaves nothing behind that waits.
		_ = unix.SetsockoptLinger(file, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	}
	err = unix.Connect(file, address)
	if err == unix.ECONNREFUSED {
		*result = "refused"
	}
	if err != nil && err != unix.EINPROGRESS {
		this.close()
	}
	this.send()
	return this
}

func (a *attempt) send() {
	if a.packet && a.file >= 0 {
		_, _ = unix.Write(a.file, []byte("probe"))
		a.sent = time.Now()
	}
}

func (a *attempt) close() {
	unix.Close(a.file)
	a.file = -1
}

// wait looks at all sockets until each has its result or time is up.
func wait(attempts []*attempt, timeout time.Duration) {
	deadline := time.Now().Add(timeout)
	for time.Now().Before(deadline) {
		polled, owners := toPoll(attempts)
		if len(polled) == 0 {
			return
		}
		step := min(time.Until(deadline), resendEvery)
		_, _ = unix.Poll(polled, int(step.Milliseconds())+1)
		for index, each := range polled {
			if each.Revents != 0 {
				owners[index].settle()
			} else if time.Since(owners[index].sent) > resendEvery {
				owners[index].send()
			}
		}
	}
	for _, each := range attempts {
		if each.file >= 0 {
			each.close()
		}
	}
}

func toPoll(attempts []*attempt) ([]unix.PollFd, []*attempt) {
	var polled []unix.PollFd
	var owners []*attempt
	for _, each := range attempts {
		if each.file < 0 {
			continue
		}
		events := int16(unix.POLLOUT)
		if each.packet {
			events = unix.POLLIN
		}
		polled = append(polled, unix.PollFd{Fd: int32(each.file), Events: events})
		owners = append(owners, each)
	}
	return polled, owners
}

// settle reads what became of a socket that the kernel says is ready.
func (a *attempt) settle() {
	failure, err := unix.GetsockoptInt(a.file, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && failure == 0 && a.packet {
		_, err = unix.Read(a.file, make([]byte, 64))
	}
	switch {
	case syscall.Errno(failure) == unix.ECONNREFUSED || err == unix.ECONNREFUSED:
		*a.result = "refused"
	case failure == 0 && err == nil:
		*a.result = "open"
		if !a.packet && a.sentAgain() {
			*a.result = "late"
		}
	}
	a.close()
}

// sentAgain tells whether the kernel had to ask twice for the connection: its first packet was lost, or dropped.
func (a *attempt) sentAgain() bool {
	info, err := unix.GetsockoptTCPInfo(a.file, unix.SOL_TCP, unix.TCP_INFO)
	return err == nil && info.Total_retrans > 0
}
