package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// tellNames serves TLS connections of both sides' certificates: it reads its own anew for each, as they rotate, and sends
// back the SPIFFE ID of whoever called.
func tellNames(address string) error {
	listener, err := tls.Listen("tcp", address, &tls.Config{
		MinVersion:         tls.VersionTLS13,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return mutual() },
	})
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
			secured := connection.(*tls.Conn)
			if secured.Handshake() == nil {
				_, _ = io.WriteString(connection, nameOf(secured)+"\n")
			}
		}()
	}
}

// callNames connects every 20 ms for that many seconds and prints, once each, what it met: the names of both ends with
// their issuers, and every failure.
func callNames(address, seconds string) {
	span, err := time.ParseDuration(seconds + "s")
	if err != nil {
		span = 0
	}
	met := map[string]bool{}
	for end := time.Now().Add(span); ; time.Sleep(20 * time.Millisecond) {
		said, err := callOnce(address)
		if err != nil {
			said = "failed: " + err.Error()
		}
		if !met[said] {
			met[said] = true
			fmt.Println(said)
		}
		if time.Now().After(end) {
			return
		}
	}
}

func callOnce(address string) (string, error) {
	config, err := mutual()
	if err != nil {
		return "", err
	}
	connection, err := tls.DialWithDialer(&net.Dialer{Timeout: 2 * time.Second}, "tcp", address, config)
	if err != nil {
		return "", err
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(2 * time.Second))
	said, err := io.ReadAll(connection)
	if err != nil {
		return "", err
	}
	if len(said) == 0 {
		return "", errors.New("closed without a word")
	}
	return fmt.Sprintf("called %s, known as %s", nameOf(connection), string(said[:len(said)-1])), nil
}

// mutual takes the Pod's certificate and the trust bundle as they are on disk now.
func mutual() (*tls.Config, error) {
	own, err := readBundle(os.Getenv("SIGNET_SVID_BUNDLE"))
	if err != nil {
		return nil, err
	}
	trusted, err := os.ReadFile(os.Getenv("SIGNET_TRUST_BUNDLE"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(trusted) {
		return nil, errors.New("the trust bundle is empty")
	}
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{own},
		ClientAuth:   tls.RequireAnyClientCert,
		// SPIFFE names are URIs: the chain is verified below, a host name there is none.
		InsecureSkipVerify: true,
		VerifyConnection:   func(state tls.ConnectionState) error { return verify(state, roots) },
	}, nil
}

func verify(state tls.ConnectionState, roots *x509.CertPool) error {
	rest := x509.NewCertPool()
	for _, each := range state.PeerCertificates[1:] {
		rest.AddCert(each)
	}
	leaf := state.PeerCertificates[0]
	usages := []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: rest, KeyUsages: usages})
	if err == nil && len(leaf.URIs) != 1 {
		return errors.New("not exactly one URI name")
	}
	return err
}

// nameOf gives the peer's SPIFFE ID and who issued it.
func nameOf(connection *tls.Conn) string {
	leaf := connection.ConnectionState().PeerCertificates[0]
	return fmt.Sprintf("%s (of %x)", leaf.URIs[0], leaf.AuthorityKeyId[:4])
}

// readBundle reads a credential bundle as kubelet writes it: a PKCS#8 key, and the chain from its leaf on.
func readBundle(path string) (tls.Certificate, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return tls.Certificate{}, err
	}
	var found tls.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			found.Certificate = append(found.Certificate, block.Bytes)
		} else if found.PrivateKey, err = x509.ParsePKCS8PrivateKey(block.Bytes); err != nil {
			return found, err
		}
	}
	if len(found.Certificate) == 0 || found.PrivateKey == nil {
		return found, errors.New("not a key with a chain")
	}
	return found, nil
}
