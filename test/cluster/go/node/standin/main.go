// Command standin stands in for any program of a Pod: it listens on the ports it is given, by TCP and by UDP, and
// sends back what it gets. `standin connect HOST:PORT` tries a connection and prints open, refused or dropped.
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"syscall"
	"time"
)

func main() {
	args := os.Args[1:]
	if len(args) == 2 && args[0] == "connect" {
		fmt.Println(connect(args[1]))
		return
	}
	if port := os.Getenv("PORT"); port != "" && len(args) == 0 {
		args = []string{port}
	}
	for _, port := range args {
		go echoStreams(port)
		go echoPackets(port)
	}
	select {}
}

func connect(address string) string {
	connection, err := net.DialTimeout("tcp", address, time.Second)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return "refused"
	}
	if err != nil {
		return "dropped"
	}
	connection.Close()
	return "open"
}

func echoStreams(port string) {
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		log.Fatal(err)
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			continue
		}
		go func() {
			defer connection.Close()
			_, _ = io.Copy(connection, connection)
		}()
	}
}

func echoPackets(port string) {
	packets, err := net.ListenPacket("udp", ":"+port)
	if err != nil {
		log.Fatal(err)
	}
	buffer := make([]byte, 2048)
	for {
		size, from, err := packets.ReadFrom(buffer)
		if err == nil {
			_, _ = packets.WriteTo(buffer[:size], from)
		}
	}
}
