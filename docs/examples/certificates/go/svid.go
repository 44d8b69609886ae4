package main

import (
	"errors"
	"io/fs"
	"os"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
)

// mounted is what kubelet keeps for this Pod. Each handshake asks for it and gets what is on disk then: reading it costs
// some ten microseconds, and nothing has to be watched.
type mounted struct{ svid, trust string }

func fromEnvironment() mounted {
	return mounted{os.Getenv("SIGNET_SVID_BUNDLE"), os.Getenv("SIGNET_TRUST_BUNDLE")}
}

// GetX509SVID reads private key and chain, which lie in one file, so that no reader ever takes one without the other.
func (m mounted) GetX509SVID() (*x509svid.SVID, error) {
	bundle, err := read(m.svid)
	if err != nil {
		return nil, err
	}
	return x509svid.Parse(bundle, bundle)
}

// GetX509BundleForTrustDomain gives our own domain's roots; other domains have files of their own.
func (m mounted) GetX509BundleForTrustDomain(domain spiffeid.TrustDomain) (*x509bundle.Bundle, error) {
	own, err := spiffeid.TrustDomainFromString(os.Getenv("SPIFFE_TRUST_DOMAIN"))
	if err != nil {
		return nil, err
	}
	text, err := read(m.trust)
	if err != nil {
		return nil, err
	}
	bundle, err := x509bundle.Parse(own, text)
	if err != nil {
		return nil, err
	}
	return bundle.GetX509BundleForTrustDomain(domain)
}

// read gives a mounted file. kubelet renames a link to a new folder and then removes the old one: who was on the way to the
// old file finds none, and the new one when he looks again.
func read(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return os.ReadFile(path)
	}
	return text, err
}
