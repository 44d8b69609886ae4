// Command door joins a node's network namespace to the loopback of the machine, without touching either network:
// it listens inside the namespace and dials outside (the API server), and it takes HTTP CONNECT on a unix socket
// and dials inside (the kubelet). A socket stays in the namespace of the thread that made it.
package main

import (
	"bufio"
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	namespace := flag.String("netns", "", "file of the network namespace")
	listen := flag.String("listen", "", "address to listen on inside")
	dial := flag.String("dial", "", "address to dial outside")
	proxy := flag.String("proxy", "", "unix socket that takes CONNECT")
	flag.Parse()
	file, err := os.Open(*namespace)
	check(err)
	inside := &space{file}
	incoming := inside.listen(*listen)
	go accept(incoming, func(from net.Conn) {
		to, err := net.DialTimeout("tcp", *dial, 5*time.Second)
		join(from, to, err)
	})
	connecting, err := net.Listen("unix", *proxy)
	check(err)
	accept(connecting, inside.connect)
}

// space is a network namespace in which sockets can be made.
type space struct{ file *os.File }

// enter runs work on a thread inside the namespace; the thread ends with it, so that nothing else runs there.
func (s *space) enter(work func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		check(unix.Setns(int(s.file.Fd()), unix.CLONE_NEWNET))
		work()
	}()
	<-done
}

func (s *space) listen(address string) net.Listener {
	var listener net.Listener
	var err error
	s.enter(func() { listener, err = net.Listen("tcp", address) })
	check(err)
	return listener
}

// connect serves one CONNECT request and then only passes bytes on.
func (s *space) connect(from net.Conn) {
	reader := bufio.NewReader(from)
	request, err := http.ReadRequest(reader)
	if err != nil || request.Method != http.MethodConnect {
		from.Close()
		return
	}
	var to net.Conn
	s.enter(func() { to, err = net.DialTimeout("tcp", request.Host, 5*time.Second) })
	if err != nil {
		_, _ = io.WriteString(from, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
	} else {
		_, _ = io.WriteString(from, "HTTP/1.1 200 OK\r\n\r\n")
	}
	join(from, to, err)
}

func accept(listener net.Listener, serve func(net.Conn)) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			log.Print(err)
			time.Sleep(10 * time.Millisecond)
			continue
		}
		go serve(connection)
	}
}

// join passes bytes both ways until both have ended.
func join(one, other net.Conn, err error) {
	defer one.Close()
	if err != nil {
		return
	}
	defer other.Close()
	done := make(chan struct{}, 2)
	pass := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		if half, ok := to.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
		done <- struct{}{}
	}
	go pass(one, other)
	go pass(other, one)
	<-done
	<-done
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
