// Command standin stands in for any program of a Pod. It listens on the ports it is given: `tcp/5432` and `udp/5432`
// send back what they get, `http/8080` says that it is well, by HTTP and by gRPC's health service. Without any it listens
// on http/$PORT, or only waits. `mtls/8443` tells callers, by the certificates that Signet delivers, who they are.
// `standin connect HOST:PORT` tries a connection and prints open, refused or dropped.
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

var kinds = map[string]func(address string) error{"tcp": echoStreams, "udp": echoPackets, "http": sayWell, "mtls": tellNames}

func main() {
	args := os.Args[1:]
	if len(args) == 2 && args[0] == "connect" {
		fmt.Println(connect(args[1]))
		return
	}
	if port := os.Getenv("PORT"); port != "" && len(args) == 0 {
		args = []string{"http/" + port}
	}
	for _, each := range args {
		kind, port, _ := strings.Cut(each, "/")
		serve, known := kinds[kind]
		if !known {
			log.Fatalf("%s: not tcp/N, udp/N, http/N or mtls/N", each)
		}
		go func() { log.Fatal(serve(":" + port)) }()
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGINT, syscall.SIGTERM)
	<-ended
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

func echoStreams(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer connection.Close()
			_, _ = io.Copy(connection, connection)
		}()
	}
}

func echoPackets(address string) error {
	packets, err := net.ListenPacket("udp", address)
	if err != nil {
		return err
	}
	buffer := make([]byte, 2048)
	for {
		size, from, err := packets.ReadFrom(buffer)
		if err == nil {
			_, _ = packets.WriteTo(buffer[:size], from)
		}
	}
}

// sayWell answers every HTTP request with 200, and grpc.health.v1.Health/Check with SERVING.
func sayWell(address string) error {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Addr: address, Protocols: protocols, Handler: http.HandlerFunc(answer)}
	return server.ListenAndServe()
}

func answer(to http.ResponseWriter, request *http.Request) {
	if request.Header.Get("Content-Type") != "application/grpc" {
		_, _ = io.WriteString(to, "well\n")
		return
	}
	to.Header().Set("Content-Type", "application/grpc")
	to.Header().Set("Trailer", "Grpc-Status")
	// One message of two bytes: field 1, status, is 1 for SERVING.
	_, _ = to.Write([]byte{0, 0, 0, 0, 2, 0x08, 1})
	to.Header().Set("Grpc-Status", "0")
}
