package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
)

// tellNames serves HTTPS by both sides' certificates: it reads its own anew for each connection, as they rotate, and
// answers with the SPIFFE ID of whoever called. Every call is a handshake of its own.
func tellNames(address string) error {
	server := &http.Server{
		Addr:      address,
		TLSConfig: &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return mutual() }},
		Handler: http.HandlerFunc(func(to http.ResponseWriter, request *http.Request) {
			_, _ = io.WriteString(to, nameOf(*request.TLS)+"\n")
		}),
	}
	server.SetKeepAlivesEnabled(false)
	return server.ListenAndServeTLS("", "")
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
		MinVersion:             tls.VersionTLS13,
		Certificates:           []tls.Certificate{own},
		ClientAuth:             tls.RequireAnyClientCert,
		SessionTicketsDisabled: true,
		VerifyConnection:       func(state tls.ConnectionState) error { return verify(state, roots) },
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
func nameOf(state tls.ConnectionState) string {
	leaf := state.PeerCertificates[0]
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
