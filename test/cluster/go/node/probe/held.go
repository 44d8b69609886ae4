package main

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

// Connections that were made once, and nil where that failed.
var held = map[want]net.Conn{}

// Understood by a program that speaks HTTP, and sent back by one that echoes.
var question = []byte("GET / HTTP/1.1\r\nHost: held\r\n\r\n")

// hold makes a connection in the namespace of the calling thread, unless it was made before.
func hold(wanted want, timeout time.Duration) {
	if _, known := held[wanted]; known {
		return
	}
	address := fmt.Sprintf("%s:%d", wanted.To, wanted.Port)
	connection, err := net.DialTimeout("tcp4", address, timeout)
	if err != nil {
		held[wanted] = nil
		return
	}
	held[wanted] = connection
}

// ask sends something over a connection, and tells whether anything came back since.
func ask(connection net.Conn, timeout time.Duration) string {
	if connection == nil {
		return "dropped"
	}
	buffer := make([]byte, 4096)
	// What an earlier round waited for in vain is no answer to this one.
	for {
		_ = connection.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := connection.Read(buffer); err != nil {
			break
		}
	}
	_ = connection.SetDeadline(time.Now().Add(timeout))
	_, err := connection.Write(question)
	if err == nil {
		_, err = connection.Read(buffer)
	}
	switch {
	case err == nil:
		return "open"
	case errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE):
		return "refused"
	}
	return "dropped"
}
